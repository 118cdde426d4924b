import { type Order, type OrderStatus, sagaStatuses, type TimelineEvent } from '../domain/order.ts';
import type { AdminOrder, OrderHealth } from './admin-service.ts';

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
export function withHealth(order: Order, now: number): AdminOrder {
  const since = sinceWhen(order);
  const health = sagaStatuses.includes(order.status) ? healthOf(now - since) : undefined;
  return { order, since, ...(health === undefined ? {} : { health }) };
}

function sinceWhen({ status, timeline, createdAt }: Order): number {
  return timeline.findLast(({ event }) => event === beginnings[status])?.at ?? createdAt;
}

function healthOf(forMs: number): OrderHealth | undefined {
  if (forMs >= stuckAfterMs) return 'stuck';
  return forMs >= slowAfterMs ? 'slow' : undefined;
}
