import { gzipSync } from 'node:zlib';
import type { Context } from 'hono';
import type { ErrorCode } from '../../domain/errors.ts';
import { acceptsEncoding } from '../accept-encoding.ts';
import { problemPage } from './problem-page.ts';
import {
  type PageServices,
  renderContext,
  retryAfterSeconds,
  sendErrorPage,
  setErrorHeaders,
} from './responses.ts';

/** Problems that thousands meet in the same second, and that have to cost less than what they refuse. */
const cachedCodes: ReadonlySet<ErrorCode> = new Set(['rate_limited', 'overloaded']);
const cachedMs = 1_000;

interface CachedPage {
  readonly text: string;
  readonly compressed: Uint8Array<ArrayBuffer>;
  /** ms since the epoch. */
  readonly until: number;
}

export type SendProblemPage = (c: Context, code: ErrorCode, retryAfterS?: number) => Response;

/** Sends problems as pages; those of a storm are drawn and compressed once a second, and not for each. */
export function problemPageSender(deps: PageServices): SendProblemPage {
  /** By what they say: the problem, and in how many seconds to come back. */
  const kept = new Map<string, CachedPage>();

  function pageOf(code: ErrorCode, retryAfterS?: number): CachedPage {
    const now = deps.clock.now();
    const name = `${code} ${retryAfterS}`;
    const known = kept.get(name);
    if (known !== undefined && now < known.until) return known;
    forgetOld(now);
    const text = String(problemPage(renderContext(deps), code, retryAfterS));
    const page = { text, compressed: new Uint8Array(gzipSync(text)), until: now + cachedMs };
    kept.set(name, page);
    return page;
  }

  function forgetOld(now: number): void {
    for (const [name, { until }] of kept) if (now >= until) kept.delete(name);
  }

  return (c, code, retryAfterS) => {
    const waitS = retryAfterSeconds(code, retryAfterS);
    if (!cachedCodes.has(code)) {
      return sendErrorPage(c, problemPage(renderContext(deps), code, waitS), code, retryAfterS);
    }
    const { text, compressed } = pageOf(code, waitS);
    const isCompressed = c.req.method !== 'HEAD' && acceptsEncoding(c.req.header('accept-encoding'), 'gzip');
    c.header('Content-Type', 'text/html; charset=UTF-8');
    c.header('Cache-Control', 'no-store');
    if (isCompressed) c.header('Content-Encoding', 'gzip');
    return c.body(isCompressed ? compressed : text, setErrorHeaders(c, code, retryAfterS));
  };
}
