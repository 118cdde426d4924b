import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Context } from 'hono';
import { getSignedCookie, setSignedCookie } from 'hono/cookie';
import { parseOrderId } from '../domain/ids.ts';
import type { HttpSettings } from './app-services.ts';
import { isBehindTls } from './security.ts';

type CookieSettings = Pick<HttpSettings, 'secret' | 'publicOrigin'>;

/** A cookie of ours as browsers know it. */
export interface CookieFormat {
  readonly name: string;
  readonly attributes: { readonly path: '/'; readonly httpOnly: true; readonly secure: boolean };
}

/**
 * Out of reach of scripts; behind TLS also `Secure`, with a name (`__Host-…`) under which browsers take it from this
 * very host alone, and never from one beside or below it (RFC 6265bis, section 4.1.3.2).
 */
export function cookieFormat(name: string, settings: Pick<HttpSettings, 'publicOrigin'>): CookieFormat {
  const secure = isBehindTls(settings);
  return { name: secure ? `__Host-${name}` : name, attributes: { path: '/', httpOnly: true, secure } };
}

/** How many orders a browser keeps in its cookie. */
export const recentOrdersMax = 20;

const ordersName = 'orders';
const keptS = 180 * 24 * 60 * 60;

/** The orders made or looked up in this browser, newest first. A cookie that we did not sign counts for nothing. */
export async function recentOrders(c: Context, settings: CookieSettings): Promise<string[]> {
  const value = await getSignedCookie(c, settings.secret, cookieFormat(ordersName, settings).name);
  if (!value) return [];
  const ids = value.split('.').map((id) => parseOrderId(id));
  return ids.filter((id) => id !== undefined).slice(0, recentOrdersMax);
}

/** Puts an order at the head of this browser's. Only for who has proved that it may see it (rule Q10). */
export function rememberOrder(c: Context, settings: CookieSettings, orderId: string): Promise<void> {
  return rememberOrders(c, settings, [orderId]);
}

/** The same for several, newest first: an answer sets the cookie once. */
export async function rememberOrders(
  c: Context,
  settings: CookieSettings,
  orderIds: readonly string[],
): Promise<void> {
  const others = (await recentOrders(c, settings)).filter((id) => !orderIds.includes(id));
  const { name, attributes } = cookieFormat(ordersName, settings);
  await setSignedCookie(
    c,
    name,
    [...orderIds, ...others].slice(0, recentOrdersMax).join('.'),
    settings.secret,
    {
      ...attributes,
      sameSite: 'Lax',
      maxAge: keptS,
    },
  );
}

/** Whether the one who asks may see an order: by this browser's cookie, or by the proof in a link. */
export async function maySeeOrder(
  c: Context,
  settings: CookieSettings,
  orderId: string,
  proof: string | undefined,
): Promise<boolean> {
  if (proof !== undefined && isOrderSignature(settings.secret, orderId, proof)) return true;
  return (await recentOrders(c, settings)).includes(orderId);
}

/**
 * A proof that its bearer may see an order: what a signed link or the live socket carries instead of the email
 * (rule Q10). 128 bits of HMAC-SHA256 over the order's id.
 */
export function orderSignature(secret: string, orderId: string): string {
  return createHmac('sha256', secret)
    .update(`order:${orderId}`)
    .digest()
    .subarray(0, 16)
    .toString('base64url');
}

export function isOrderSignature(secret: string, orderId: string, proof: string): boolean {
  const expected = Buffer.from(orderSignature(secret, orderId));
  const given = Buffer.from(proof);
  return expected.length === given.length && timingSafeEqual(expected, given);
}
