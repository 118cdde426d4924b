import type { Context } from 'hono';
import { getSignedCookie, setSignedCookie } from 'hono/cookie';
import { parseOrderId } from '../domain/order.ts';
import type { HttpSettings } from './app-services.ts';
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

/** Adds an order to this browser's cookie. Call it only for callers that may see the order (promise Q10). */
export function rememberOrder(c: Context, settings: CookieSettings, orderId: string): Promise<void> {
  return rememberOrders(c, settings, [orderId]);
}

/** Adds several orders, newest first. An answer can set the cookie only once. */
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
      maxAge: maxAgeS,
    },
  );
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
 * The signature of an order's id, 128 bits of HMAC-SHA256. Links and the live socket carry it as `proof`; whoever has it may
 * see the order without its email (promise Q10).
 */
export function orderSignature(secret: string, orderId: string): string {
  return sign(secret, `order:${orderId}`);
}

export function isOrderSignature(secret: string, orderId: string, signature: string): boolean {
  return isSameText(orderSignature(secret, orderId), signature);
}
