import { gzipSync } from 'node:zlib';
import { type ErrorCode, errorKind } from '../../domain/errors.ts';
import { acceptsEncoding } from '../compression.ts';
import type { SendProblem } from '../problem.ts';
import { firstSentence } from './format.ts';
import { messagePage, type RenderContext } from './layout.ts';
import { type Html, markup } from './markup.ts';
import {
  type PageServices,
  renderContext,
  retryAfterSeconds,
  sendErrorPage,
  setErrorHeaders,
} from './responses.ts';

/** Errors whose pages are cached: thousands of customers may get them in the same second. */
const cachedCodes: ReadonlySet<ErrorCode> = new Set(['rate_limited', 'overloaded']);
const cachedMs = 1_000;

interface CachedPage {
  readonly text: string;
  readonly compressed: Uint8Array<ArrayBuffer>;
  /** When the page expires, as Unix time in ms. */
  readonly until: number;
}

/**
 * Returns a function that sends problems as pages. Pages of frequent problems are rendered and compressed once a
 * second.
 */
export function showProblemPage(services: PageServices): SendProblem {
  /** The cached pages, by language, error code and seconds to wait. */
  const cache = new Map<string, CachedPage>();

  function pageOf(context: RenderContext, code: ErrorCode, retryAfterS?: number): CachedPage {
    const { now, texts } = context;
    const name = `${texts.language} ${code} ${retryAfterS}`;
    const cached = cache.get(name);
    if (cached !== undefined && now < cached.until) return cached;
    for (const [other, { until }] of cache) if (now >= until) cache.delete(other);
    const text = String(problemPage(context, code, retryAfterS));
    const page = { text, compressed: new Uint8Array(gzipSync(text)), until: now + cachedMs };
    cache.set(name, page);
    return page;
  }

  return (c, code, { retryAfterS, headers = {} } = {}) => {
    for (const [name, value] of Object.entries(headers)) c.header(name, value);
    const waitS = retryAfterSeconds(code, retryAfterS);
    const context = renderContext(c, services);
    if (!cachedCodes.has(code)) {
      return sendErrorPage(c, problemPage(context, code, waitS), code, retryAfterS);
    }
    const { text, compressed } = pageOf(context, code, waitS);
    const isCompressed = c.req.method !== 'HEAD' && acceptsEncoding(c.req.header('accept-encoding'), 'gzip');
    c.header('Content-Type', 'text/html; charset=UTF-8');
    c.header('Cache-Control', 'no-store');
    if (isCompressed) c.header('Content-Encoding', 'gzip');
    return c.body(isCompressed ? compressed : text, setErrorHeaders(c, code, retryAfterS));
  };
}

/**
 * A page for an error that has no page of its own.
 * @param retryAfterS seconds to wait, if waiting can help. The page then does not say that something failed, because an
 * order may have been accepted just before.
 */
function problemPage(context: RenderContext, code: ErrorCode, retryAfterS?: number): Html {
  const { errors, formats, layout, problem } = context.texts;
  const failed = retryAfterS === undefined ? problem.failed : problem.wait;
  const headline = code === 'unknown_route' ? problem.notFound : failed;
  // A reload sends the same form with the same key again, also without JavaScript.
  const paragraphs =
    retryAfterS === undefined
      ? [errors[code]]
      : [firstSentence(errors[code]), problem.reload(formats.wait(retryAfterS))];
  return messagePage(context, {
    title: headline,
    role: 'alert',
    icon: 'alert',
    headline,
    text: paragraphs.map((words) => markup`<p class="verdict-text">${words}</p>`),
    actions: markup`
      <a class="button primary" href="/order">${errorKind(code).retry === 'no' ? problem.seeTrips : problem.backToTrips}</a>
      <a class="button quiet" href="/query">${layout.myOrders}</a>`,
  });
}

/** The page for an order that does not exist, and also for an order that this browser may not see (promise Q10). */
export function missPage(context: RenderContext): Html {
  const { problem } = context.texts;
  return messagePage(context, {
    title: problem.missTitle,
    icon: 'ticket',
    headline: problem.miss,
    text: markup`<p class="verdict-text">${problem.missText}</p>`,
    actions: markup`<a class="button primary" href="/query">${problem.lookUp}</a>`,
  });
}
