import type { Context } from 'hono';
import { recentOrders } from '../cookies.ts';
import { orderSignature } from '../order-signature.ts';
import type { HttpSettings } from '../settings.ts';

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
