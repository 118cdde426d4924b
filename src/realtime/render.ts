import {
  orderElementId,
  orderFragment,
  packageFragment,
  stayElementId,
} from '../http/pages/fragments/index.ts';
import type { Clock } from '../lib/clock.ts';
import type { LiveRender } from './hub.ts';

/** Draws with the components that the pages themselves are made of. */
export function pageRender(currency: string, clock: Clock): LiveRender {
  return {
    package: (snapshot) => ({
      rootId: stayElementId(snapshot.package.id),
      html: String(packageFragment(snapshot, { currency, now: clock.now() })),
    }),
    order: ({ order, place, inProgress, offer }) => ({
      rootId: orderElementId,
      html: String(orderFragment(order, { queuePosition: place, inProgress, offer, now: clock.now() })),
    }),
  };
}
