import type { Order } from '../domain/order.ts';
import { offersAgain } from '../http/pages/fragments/order.ts';
import type { TripOffer } from '../http/pages/fragments/package.ts';
import { Channel } from './channel.ts';

/** What is drawn of an order, besides the order itself. */
export interface ShownOrder {
  readonly order: Order;
  /** Its place in the line, from 1, while it is known. */
  readonly queuePosition: number | undefined;
  /** How many units of its package are being booked right now. */
  readonly inProgress: number;
  /** Whether its trip can be ordered now, where its page offers to order it again. */
  readonly offer?: TripOffer | undefined;
}

/** An order that somebody watches. */
export class WatchedOrder {
  readonly id: string;
  readonly channel = new Channel();
  order: Order | undefined;
  place: number | undefined;
  /** Grows with everything that the bus tells, so that an older read does not undo it. */
  heard = 0;
  /** When it was last heard of or read, in ms since the epoch. */
  checkedAt = Number.NEGATIVE_INFINITY;
  shown: ShownOrder | undefined;

  constructor(id: string) {
    this.id = id;
  }

  /** What is to be shown now, where that is known and differs from what was shown last. */
  news(inProgress: number, tripOffer?: TripOffer): ShownOrder | undefined {
    const { order, shown } = this;
    if (order === undefined) return undefined;
    const isQueued = order.status === 'queued';
    const offer = offersAgain(order) ? tripOffer : undefined;
    const next = {
      order,
      queuePosition: isQueued ? this.place : undefined,
      inProgress: isQueued ? inProgress : 0,
      offer,
    };
    const isSame =
      shown !== undefined &&
      isSameState(shown.order, order) &&
      shown.queuePosition === next.queuePosition &&
      shown.inProgress === next.inProgress &&
      shown.offer === offer;
    return isSame ? undefined : next;
  }
}

/** Every change of an order adds to its timeline. */
export function isSameState(a: Order, b: Order): boolean {
  return a === b || (a.status === b.status && a.timeline.length === b.timeline.length);
}
