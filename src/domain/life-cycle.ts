import type { Order, OrderReason, TimelineEntry, TimelineEvent } from './order.ts';

/** Steps in an order's life, see the diagram in domain/order.ts. Each is a pure function of the order before. */

export function queue(order: Omit<Order, 'status' | 'timeline'>, at: number): Order {
  return { ...order, status: 'queued', timeline: [{ at, event: 'queued' }] };
}

/** Claimed in the commit that stores it: it never stood in the line. */
export function claimAtOnce(order: Omit<Order, 'status' | 'timeline'>, at: number): Order {
  return { ...order, status: 'held', timeline: [{ at, event: 'claimed' }] };
}

export function claim(order: Order, at: number): Order {
  return { ...order, status: 'held', timeline: log(order, at, 'claimed') };
}

export function progress(order: Order, ticketNumber: string, events: readonly TimelineEntry[]): Order {
  return { ...order, flight: { ticketNumber }, timeline: merge(order, events) };
}

export function confirm(
  order: Order,
  at: number,
  ticketNumber: string,
  reservationNumber: string,
  events: readonly TimelineEntry[],
): Order {
  return {
    ...order,
    status: 'confirmed',
    flight: { ticketNumber },
    hotel: { reservationNumber },
    timeline: [...merge(order, events), { at, event: 'confirmed' }],
  };
}

/** Refused outright: nothing is owed, the unit returns at once. */
export function fail(order: Order, at: number, reason: OrderReason, events: readonly TimelineEntry[]): Order {
  return { ...order, status: 'failed', reason, timeline: ended(merge(order, events), at, 'failed') };
}

/** Something may exist at a supplier: its cancel is owed from the commit of this on. */
export function compensate(
  order: Order,
  at: number,
  reason: OrderReason,
  ticketNumber: string | undefined,
  events: readonly TimelineEntry[],
): Order {
  return {
    ...order,
    ...(ticketNumber === undefined ? {} : { flight: { ticketNumber } }),
    status: 'compensating',
    reason,
    timeline: [...merge(order, events), { at, event: 'compensating' }],
  };
}

export function compensated(order: Order, at: number, events: readonly TimelineEntry[]): Order {
  return { ...order, status: 'failed', timeline: ended(merge(order, events), at, 'failed') };
}

export function requestCancel(order: Order, at: number): Order {
  return { ...order, status: 'cancelling', timeline: log(order, at, 'cancel requested') };
}

export function cancelled(order: Order, at: number, events: readonly TimelineEntry[]): Order {
  return { ...order, status: 'cancelled', timeline: ended(merge(order, events), at, 'cancelled') };
}

export function withdraw(order: Order, at: number): Order {
  return { ...order, status: 'withdrawn', timeline: log(order, at, 'withdrawn') };
}

export function reject(order: Order, at: number): Order {
  return { ...order, status: 'rejected', reason: 'sold_out', timeline: log(order, at, 'sold out') };
}

function log(order: Order, at: number, event: TimelineEvent): TimelineEntry[] {
  return [...order.timeline, { at, event }];
}

/** The unit returns in the commit that ends the order (rule Q2). */
function ended(timeline: TimelineEntry[], at: number, event: TimelineEvent): TimelineEntry[] {
  return [...timeline, { at, event: 'released' }, { at, event }];
}

/** Adds what a saga saw. A resumed saga sees again what its predecessor reported. */
function merge(order: Order, events: readonly TimelineEntry[]): TimelineEntry[] {
  const isNews = ({ event, detail }: TimelineEntry) =>
    !order.timeline.some((entry) => entry.event === event && entry.detail === detail);
  return [...order.timeline, ...events.filter(isNews)];
}
