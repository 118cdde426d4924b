import { gzipSync } from 'node:zlib';
import { type ErrorCode, errorKind } from '../../domain/errors.ts';
import { acceptsEncoding } from '../compression.ts';
import type { SendProblem } from '../problem.ts';
import { firstSentence, formatWait } from './format.ts';
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
  /** The cached pages, by error code and seconds to wait. */
  const cache = new Map<string, CachedPage>();

  function pageOf(code: ErrorCode, retryAfterS?: number): CachedPage {
    const now = services.clock.now();
    const name = `${code} ${retryAfterS}`;
    const cached = cache.get(name);
    if (cached !== undefined && now < cached.until) return cached;
    for (const [other, { until }] of cache) if (now >= until) cache.delete(other);
    const text = String(problemPage(renderContext(services), code, retryAfterS));
    const page = { text, compressed: new Uint8Array(gzipSync(text)), until: now + cachedMs };
    cache.set(name, page);
    return page;
  }

  return (c, code, { retryAfterS, headers = {} } = {}) => {
    for (const [name, value] of Object.entries(headers)) c.header(name, value);
    const waitS = retryAfterSeconds(code, retryAfterS);
    if (!cachedCodes.has(code)) {
      return sendErrorPage(c, problemPage(renderContext(services), code, waitS), code, retryAfterS);
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
 * A page for an error that has no page of its own.
 * @param retryAfterS seconds to wait, if waiting can help. The page then does not say that something failed, because an
 * order may have been accepted just before.
 */
function problemPage(context: RenderContext, code: ErrorCode, retryAfterS?: number): Html {
  const { words, retry } = errorKind(code);
  const failed = retryAfterS === undefined ? 'That did not work' : 'Please wait a moment';
  const headline = code === 'unknown_route' ? 'Page not found' : failed;
  return messagePage(context, {
    title: headline,
    role: 'alert',
    icon: 'alert',
    headline,
    text: [
      markup`<p class="verdict-text">${retryAfterS === undefined ? words : firstSentence(words)}</p>`,
      ...(retryAfterS === undefined ? [] : [againAdvice(retryAfterS)]),
    ],
    actions: markup`
      <a class="button primary" href="/order">${retry === 'no' ? 'See the trips' : 'Back to the trips'}</a>
      <a class="button quiet" href="/query">My orders</a>`,
  });
}

/** The advice to reload. A reload sends the same form with the same key again, also without JavaScript. */
function againAdvice(retryAfterS: number): Html {
  return markup`
    <p class="verdict-text">Reload this page in ${formatWait(retryAfterS)}. If you have sent an order, it counts only once.</p>`;
}

/** The page for an order that does not exist, and also for an order that this browser may not see (promise Q10). */
export function missPage(context: RenderContext): Html {
  return messagePage(context, {
    title: 'Order not found',
    icon: 'ticket',
    headline: 'We cannot show this order here',
    text: markup`<p class="verdict-text">Look it up with its order number and the email that you ordered with.</p>`,
    actions: markup`<a class="button primary" href="/query">Look up an order</a>`,
  });
}
