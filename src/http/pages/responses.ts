import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { type ErrorCode, errorKind } from '../../domain/errors.ts';
import type { AppServices, HttpSettings } from '../app-services.ts';
import { orderSignature, recentOrders } from '../order-access.ts';
import { requestIdOfContext } from '../telemetry/log-fields.ts';
import { chooseLanguage } from './language.ts';
import type { RenderContext } from './layout.ts';
import type { Html } from './markup.ts';
import { textsOf } from './texts/index.ts';
import { defaultLanguage, type Language, languageFrom } from './texts/languages.ts';

/** The services that the pages' handlers use. */
export interface PageServices
  extends Pick<
    AppServices,
    'engine' | 'clock' | 'random' | 'settings' | 'telemetry' | 'limits' | 'admission' | 'payments'
  > {
  readonly assetUrl: RenderContext['assetUrl'];
}

/** The context of a page, in the language that its customer chose or prefers. */
export function renderContext(c: Context, services: PageServices): RenderContext {
  return contextIn(chooseLanguage(c, services.settings), services);
}

/** The context of a fragment, in the language of its page, which the address names. */
export function fragmentContext(c: Context, services: PageServices): RenderContext {
  return contextIn(languageFrom(c.req.query('lang')) ?? defaultLanguage, services);
}

function contextIn(language: Language, { assetUrl, clock, settings, payments }: PageServices): RenderContext {
  const { currency, sendsMails = false } = settings;
  return {
    ...{ assetUrl, now: clock.now(), currency, texts: textsOf(language) },
    takesPayments: payments !== undefined,
    sendsMails,
  };
}

/** A new Idempotency-Key for a form, of 128 random bits. */
export function newFormKey({ random }: Pick<PageServices, 'random'>): string {
  return Buffer.from(random.bytes(16)).toString('base64url');
}

/** Sends a page. Pages are personal and change, so they are not cached. */
export function sendPage(c: Context, page: Html, status: ContentfulStatusCode = 200): Response {
  c.header('Cache-Control', 'no-store');
  return c.html(String(page), status);
}

/** Sends a page about an error, with the error's status and, if waiting can help, `Retry-After`. */
export function sendErrorPage(c: Context, page: Html, code: ErrorCode, retryAfterS?: number): Response {
  return sendPage(c, page, setErrorHeaders(c, code, retryAfterS));
}

/** Sets the headers of an error and returns its status. */
export function setErrorHeaders(c: Context, code: ErrorCode, retryAfterS?: number): ContentfulStatusCode {
  const { status } = errorKind(code) as { status: ContentfulStatusCode };
  const wait = retryAfterSeconds(code, retryAfterS);
  if (wait !== undefined) c.header('Retry-After', String(wait));
  if (status >= 500) c.header('X-Request-Id', requestIdOfContext(c));
  return status;
}

/** Whole seconds to wait before a retry; undefined if waiting does not help. Default: the error catalogue's value. */
export function retryAfterSeconds(code: ErrorCode, retryAfterS?: number): number | undefined {
  const wait = retryAfterS ?? errorKind(code).retryAfterS;
  return wait === undefined ? undefined : Math.ceil(wait);
}

/**
 * Redirects a browser to an order. Our script sends `Prefer: return=minimal` (RFC 7240, section 4.2) and gets the URL
 * in `Location` instead: `fetch` would follow a redirect, and the page would be loaded twice.
 */
export function redirectTo(c: Context, address: string): Response {
  const wantsMinimal = /(^|[,\s])return=minimal([,;\s]|$)/i.test(c.req.header('prefer') ?? '');
  if (!wantsMinimal) return c.redirect(address, 303);
  return c.body(null, 200, {
    Location: address,
    'Cache-Control': 'no-store',
    'Preference-Applied': 'return=minimal',
  });
}

/** Options of the URL of an order's page. */
interface AddressParts {
  /** Whether the order was made on `/order-queue`. Then `Try again` leads back there. */
  readonly fromQueue?: boolean;
  /** Whether the previous answer set the cookie. A browser that comes back without the cookie accepts no cookies. */
  readonly cookieSet?: boolean;
  /** Whether the page asks for confirmation to leave the queue or to cancel the trip. */
  readonly asksToConfirm?: boolean;
  /** Whether to return the URL of the order's cancellation, which takes a POST. */
  readonly toCancel?: boolean;
}

/** The URL of an order's page. With the order's signature as `proof`, anybody who has the URL can see the order. */
export function orderAddress(orderId: string, parts: AddressParts = {}, proof?: string): string {
  const query = new URLSearchParams();
  if (parts.fromQueue) query.set('from', 'queue');
  if (proof !== undefined) query.set('proof', proof);
  if (parts.cookieSet) query.set('cookie', 'set');
  if (parts.asksToConfirm) query.set('ask', 'yes');
  const path = `/orders/${orderId}${parts.toCancel ? '/cancel' : ''}`;
  return query.size === 0 ? path : `${path}?${query}`;
}

/**
 * The URL to redirect to after an answer that sets an order's cookie. The URL includes the signature unless the browser
 * has sent one of our cookies before. So a browser that accepts no cookies can show the order too.
 */
export async function addressToShow(
  c: Context,
  settings: Pick<HttpSettings, 'secret' | 'publicOrigin'>,
  orderId: string,
  parts: AddressParts = {},
): Promise<string> {
  const takesCookies = (await recentOrders(c, settings)).length > 0;
  return orderAddress(orderId, parts, takesCookies ? undefined : orderSignature(settings.secret, orderId));
}
