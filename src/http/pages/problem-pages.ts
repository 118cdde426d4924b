import { gzipSync } from 'node:zlib';
import type { Context } from 'hono';
import { type ErrorCode, errorKind } from '../../domain/errors.ts';
import { acceptsEncoding } from '../compression.ts';
import { icon } from './elements.ts';
import { firstSentence, formatWait } from './format.ts';
import { page, type RenderContext } from './layout.ts';
import { type Html, markup } from './markup.ts';
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

/**
 * Any error that has no page of its own, in words.
 * @param retryAfterS where waiting helps. Then nothing has failed: the page may even be that of an order which was taken
 * a moment ago.
 */
export function problemPage(setting: RenderContext, code: ErrorCode, retryAfterS?: number): Html {
  const { words, retry } = errorKind(code);
  const failed = retryAfterS === undefined ? 'That did not work' : 'Please wait a moment';
  const headline = code === 'unknown_route' ? 'Page not found' : failed;
  return page(setting, {
    title: headline,
    main: markup`
      <div class="narrow">
        <section class="verdict verdict-neutral" role="alert">
          <p class="verdict-icon">${icon('alert')}</p>
          <h1 class="headline">${headline}</h1>
          <p class="verdict-text">${retryAfterS === undefined ? words : firstSentence(words)}</p>
          ${retryAfterS === undefined ? '' : againAdvice(retryAfterS)}
          <div class="actions">
            <a class="button primary" href="/order">${retry === 'no' ? 'See the trips' : 'Back to the trips'}</a>
            <a class="button quiet" href="/query">My orders</a>
          </div>
        </section>
      </div>`,
  });
}

/** What a browser sends again by itself, without JavaScript too: its form with the same key. */
function againAdvice(retryAfterS: number): Html {
  return markup`
    <p class="verdict-text">Reload this page in ${formatWait(retryAfterS)}. If you have sent an order, it counts only once.</p>`;
}

/** The one answer for an order that does not exist, and for one that this browser may not see (rule Q10). */
export function missPage(setting: RenderContext): Html {
  return page(setting, {
    title: 'Order not found',
    main: markup`
      <div class="narrow">
        <section class="verdict verdict-neutral">
          <p class="verdict-icon">${icon('ticket')}</p>
          <h1 class="headline">We cannot show this order here</h1>
          <p class="verdict-text">Look it up with its order number and the email that you ordered with.</p>
          <div class="actions"><a class="button primary" href="/query">Look up an order</a></div>
        </section>
      </div>`,
  });
}
