import type { Order, OrderStatus, TimelineEvent } from '../domain/order.ts';
import type { Concern, OperatedOrder } from './operations.ts';

/** Orders with something to be done at the suppliers. */
export const inHandStatuses: readonly OrderStatus[] = ['held', 'compensating', 'cancelling'];

const stuckAfterMs = 30_000;
const slowAfterMs = 5_000;

/** What the timeline says when an order gets a status. */
const beginnings: Readonly<Record<OrderStatus, TimelineEvent>> = {
  queued: 'queued',
  held: 'claimed',
  compensating: 'compensating',
  confirmed: 'confirmed',
  cancelling: 'cancel requested',
  failed: 'failed',
  rejected: 'sold out',
  withdrawn: 'withdrawn',
  cancelled: 'cancelled',
};

/** An order with what an operator wants to know of it at first sight. */
export function operated(order: Order, now: number): OperatedOrder {
  const since = sinceWhen(order);
  const concern = inHandStatuses.includes(order.status) ? concernOf(now - since) : undefined;
  return { order, since, ...(concern === undefined ? {} : { concern }) };
}

function sinceWhen({ status, timeline, createdAt }: Order): number {
  return timeline.findLast(({ event }) => event === beginnings[status])?.at ?? createdAt;
}

function concernOf(forMs: number): Concern | undefined {
  if (forMs >= stuckAfterMs) return 'stuck';
  return forMs >= slowAfterMs ? 'slow' : undefined;
}
