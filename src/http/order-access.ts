import type { Context } from 'hono';
import { getSignedCookie, setSignedCookie } from 'hono/cookie';
import { type Order, parseOrderId } from '../domain/order.ts';
import type { BookingEngine } from '../engine/engine.ts';
import type { HttpSettings } from './app-services.ts';
import { emailInput } from './email.ts';
import { cookieFormat, isSameText, sign } from './security.ts';

type CookieSettings = Pick<HttpSettings, 'secret' | 'publicOrigin'>;

/** The most orders that the cookie holds. */
export const recentOrdersMax = 20;

const ordersName = 'orders';
const maxAgeS = 180 * 24 * 60 * 60;

/** The ids of the orders made or looked up in this browser, newest first. A cookie with a wrong signature is ignored. */
export async function recentOrders(c: Context, settings: CookieSettings): Promise<string[]> {
  const value = await getSignedCookie(c, settings.secret, cookieFormat(ordersName, settings).name);
  if (!value) return [];
  const ids = value.split('.').map((id) => parseOrderId(id));
  return ids.filter((id) => id !== undefined).slice(0, recentOrdersMax);
}

/**
 * Adds orders to this browser's cookie, newest first. Call it only for callers that may see these orders (promise Q10),
 * and only once per answer, because a later call replaces the cookie.
 */
export async function rememberOrders(
  c: Context,
  settings: CookieSettings,
  ...orderIds: readonly string[]
): Promise<void> {
  const others = (await recentOrders(c, settings)).filter((id) => !orderIds.includes(id));
  const { name, attributes } = cookieFormat(ordersName, settings);
  const value = [...orderIds, ...others].slice(0, recentOrdersMax).join('.');
  await setSignedCookie(c, name, value, settings.secret, { ...attributes, sameSite: 'Lax', maxAge: maxAgeS });
}

/**
 * An id that no order has. It is looked up when the caller's id is malformed, so that every failed look-up takes the
 * same time.
 */
const missingId = '0000-0000-0000-0000';

/**
 * Finds an order for a caller who knows its email (promise Q10). Every failed look-up returns undefined after one read
 * of the store.
 * @param id undefined when the caller's id is malformed.
 */
export async function orderOf(
  engine: Pick<BookingEngine, 'order'>,
  id: string | undefined,
  email: string,
): Promise<Order | undefined> {
  const given = emailInput.safeParse(email);
  const order = await engine.order(id ?? missingId);
  const matches = isSameText(order?.email ?? '', given.success ? given.data : '-');
  return matches && id !== undefined ? order : undefined;
}

/** Whether the caller may see an order: by this browser's cookie, or by the signature in a link (`?proof=`). */
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
 * The signature of an order's id, 128 bits of HMAC-SHA256. Links and the live socket contain the signature as `proof`.
 * Whoever has a proof may see the order without knowing its email (promise Q10).
 */
export function orderSignature(secret: string, orderId: string): string {
  return sign(secret, `order:${orderId}`);
}

/**
 * The `Link` header that tells a program where it can watch an order live (RFC 8288, with the relation of RFC 5989). Only
 * for callers that may see the order (promise Q10).
 */
export function orderMonitor(secret: string, orderId: string): string {
  return `</live?topic=order:${orderId}&proof=${orderSignature(secret, orderId)}&format=json>; rel="monitor"`;
}

export function isOrderSignature(secret: string, orderId: string, signature: string): boolean {
  return isSameText(orderSignature(secret, orderId), signature);
}
