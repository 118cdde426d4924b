import { orderElementId, orderFragment } from '../http/pages/fragments/order.ts';
import { packageFragment, stayElementId } from '../http/pages/fragments/package.ts';
import type { Clock } from '../lib/clock.ts';
import type { LiveRender } from './hub.ts';

/**
 * Renders live updates with the same components as the pages. They contain no `hx-*` attributes.
 *
 * A socket carries text messages of two kinds, read by htmx 4's hx-ws extension:
 *
 * 1. HTML: one or more fragments, each wrapped so that it replaces the element with its id:
 *    `<hx-partial hx-target="#stay-1" hx-swap="outerMorph">…packageFragment…</hx-partial>` and
 *    `<hx-partial hx-target="#order-live" hx-swap="outerMorph">…orderFragment…</hx-partial>`. There is no whitespace
 *    between wrapper and fragment, because the morph would insert it as a node. htmx skips unknown targets.
 * 2. JSON `{"now": 1700000000000}`: the server's clock in ms. Sent when a socket opens, before the current state, and
 *    whenever nothing was sent for 4 s. The page treats a socket that was silent for 9 s as dead.
 */
export function pageRender(currency: string, clock: Clock): LiveRender {
  return {
    package: (snapshot) => ({
      rootId: stayElementId(snapshot.package.id),
      html: String(packageFragment(snapshot, { currency, now: clock.now() })),
    }),
    order: ({ order, queuePosition, inProgress, offer }) => ({
      rootId: orderElementId,
      html: String(orderFragment(order, { queuePosition, inProgress, offer, now: clock.now() })),
    }),
  };
}
