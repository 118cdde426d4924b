import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { type ErrorCode, errorKind } from '../../domain/errors.ts';
import type { AppServices, HttpSettings } from '../app-services.ts';
import { orderSignature, recentOrders } from '../order-access.ts';
import { requestIdOfContext } from '../telemetry/log-fields.ts';
import type { RenderContext } from './layout.ts';
import type { Html } from './markup.ts';

/** What the pages' handlers are given. */
export interface PageServices
  extends Pick<
    AppServices,
    'engine' | 'clock' | 'random' | 'settings' | 'telemetry' | 'limits' | 'admission'
  > {
  readonly assetUrl: RenderContext['assetUrl'];
}

export function renderContext({ assetUrl, clock, settings }: PageServices): RenderContext {
  return { assetUrl, now: clock.now(), currency: settings.currency };
}

/** A fresh Idempotency-Key for a form: 128 random bits. */
export function newFormKey({ random }: Pick<PageServices, 'random'>): string {
  return Buffer.from(random.bytes(16)).toString('base64url');
}

/** A page is about now and about one person, so nothing keeps it. */
export function sendPage(c: Context, page: Html, status: ContentfulStatusCode = 200): Response {
  c.header('Cache-Control', 'no-store');
  return c.html(String(page), status);
}

/** A page about an error of the catalogue, with its status and, where waiting helps, `Retry-After`. */
export function sendErrorPage(c: Context, page: Html, code: ErrorCode, retryAfterS?: number): Response {
  return sendPage(c, page, setErrorHeaders(c, code, retryAfterS));
}

/** Sets the headers that go with an error; returns its status. */
export function setErrorHeaders(c: Context, code: ErrorCode, retryAfterS?: number): ContentfulStatusCode {
  const { status } = errorKind(code) as { status: ContentfulStatusCode };
  const wait = retryAfterSeconds(code, retryAfterS);
  if (wait !== undefined) c.header('Retry-After', String(wait));
  if (status >= 500) c.header('X-Request-Id', requestIdOfContext(c));
  return status;
}

/** Whole seconds to wait before another try, where that helps: as given, else the catalogue's figure. */
export function retryAfterSeconds(code: ErrorCode, retryAfterS?: number): number | undefined {
  const wait = retryAfterS ?? errorKind(code).retryAfterS;
  return wait === undefined ? undefined : Math.ceil(wait);
}

/**
 * Leads a browser to an order. Our script asks with `Prefer: return=minimal` (RFC 7240, section 4.2): it is told the
 * address and goes there by itself, where a redirect would have it load the page twice.
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

/** What an order's address says besides its id. */
export interface AddressParts {
  /** The order was made on `/order-queue`: `Try again` goes back there. */
  readonly fromQueue?: boolean;
  /** The cookie was set once, at an address that said no more than the proof: a browser without it takes none. */
  readonly cookieSet?: boolean;
  /** Its page asks whether to leave the queue or to cancel the trip. */
  readonly isAsked?: boolean;
}

/** An order's address for who may see it by cookie; with the proof, for whoever has the address. */
export function orderAddress(orderId: string, parts: AddressParts = {}, proof?: string): string {
  const query = new URLSearchParams();
  if (parts.fromQueue) query.set('from', 'queue');
  if (proof !== undefined) query.set('proof', proof);
  if (parts.cookieSet) query.set('cookie', 'set');
  if (parts.isAsked) query.set('ask', 'yes');
  return query.size === 0 ? `/orders/${orderId}` : `/orders/${orderId}?${query}`;
}

/**
 * Where a browser is sent that was just given an order's cookie. Until one of our cookies came back from it, the
 * address carries the proof: who takes no cookies sees the order by that.
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
