import type { Context } from 'hono';
import { getSignedCookie, setSignedCookie } from 'hono/cookie';
import { parseOrderId } from '../domain/ids.ts';
import type { HttpSettings } from './deps.ts';
import { isOrderProof } from './proof.ts';

type CookieSettings = Pick<HttpSettings, 'secret' | 'publicOrigin'>;

/** How many orders a browser keeps in its cookie. */
export const recentOrdersMax = 20;

const name = 'orders';
const keptS = 180 * 24 * 60 * 60;

/** The orders made or looked up in this browser, newest first. A cookie that we did not sign counts for nothing. */
export async function recentOrders(c: Context, { secret }: CookieSettings): Promise<string[]> {
  const value = await getSignedCookie(c, secret, name);
  if (!value) return [];
  const ids = value.split('.').map((id) => parseOrderId(id));
  return ids.filter((id) => id !== undefined).slice(0, recentOrdersMax);
}

/** Puts an order at the head of this browser's. Only for who has proved that it may see it (rule Q10). */
export async function rememberOrder(c: Context, settings: CookieSettings, orderId: string): Promise<void> {
  const others = (await recentOrders(c, settings)).filter((id) => id !== orderId);
  await setSignedCookie(c, name, [orderId, ...others].slice(0, recentOrdersMax).join('.'), settings.secret, {
    path: '/',
    httpOnly: true,
    sameSite: 'Lax',
    secure: isSecure(c, settings),
    maxAge: keptS,
  });
}

/** Whether the one who asks may see an order: by this browser's cookie, or by the proof in a link. */
export async function maySeeOrder(
  c: Context,
  settings: CookieSettings,
  orderId: string,
  proof: string | undefined,
): Promise<boolean> {
  if (proof !== undefined && isOrderProof(settings.secret, orderId, proof)) return true;
  return (await recentOrders(c, settings)).includes(orderId);
}

/** Behind a proxy only the public origin tells; a cookie that is `Secure` by mistake would never come back. */
export function isSecure(c: Context, { publicOrigin }: Pick<CookieSettings, 'publicOrigin'>): boolean {
  const url = new URL(c.req.url);
  return url.protocol === 'https:' || (publicOrigin !== undefined && publicOrigin === `https://${url.host}`);
}
