import type { Order, OrderStatus, TimelineEvent } from './order.ts';

/** The ways to give notice. Each has its own deliveries, so that one that hangs does not delay the other. */
export const noticeChannels = ['mail', 'webhook'] as const;
export type NoticeChannel = (typeof noticeChannels)[number];

/**
 * The events that somebody is told of, in the order in which an order can have them. An order has each of them at most
 * once. Events of payments (`payable` first, `refunded` last) belong into this list too, at those places.
 */
export const noticeEvents = ['confirmed', 'failed', 'cancelled'] as const;
export type NoticeEvent = (typeof noticeEvents)[number];

/**
 * A notice that is owed: the commit that changes the order stores it, and its delivery removes it. It names the order
 * and has no copy of it, so that an erased email is nowhere left (see {@link orderAt} for its content).
 */
export interface Notice {
  readonly channel: NoticeChannel;
  readonly orderId: string;
  readonly event: NoticeEvent;
}

/** The entry of the timeline, and the status, with which an order has an event. */
const marks: Readonly<Record<NoticeEvent, Readonly<Partial<Record<TimelineEvent, OrderStatus>>>>> = {
  confirmed: { confirmed: 'confirmed' },
  // Whoever waits in the queue until everything is sold has no trip either.
  failed: { failed: 'failed', 'sold out': 'rejected' },
  cancelled: { cancelled: 'cancelled' },
};

const eventOfStatus: ReadonlyMap<OrderStatus, NoticeEvent> = new Map(
  noticeEvents.flatMap((event) => Object.values(marks[event]).map((status) => [status, event] as const)),
);

/** The event that an order has by getting this status; undefined if nobody is told. */
export function noticeEventOf(status: OrderStatus): NoticeEvent | undefined {
  return eventOfStatus.get(status);
}

/** An order as it was when an event happened. */
export interface OrderAt {
  readonly event: NoticeEvent;
  /** When it happened, as Unix time in ms. */
  readonly at: number;
  readonly order: Order;
}

/**
 * The order as it was at an event, from a later state: later changes only add to the timeline. Undefined if the order
 * never had the event.
 */
export function orderAt(order: Order, event: NoticeEvent): OrderAt | undefined {
  const index = order.timeline.findLastIndex((entry) => marks[event][entry.event] !== undefined);
  const entry = order.timeline[index];
  const status = entry && marks[event][entry.event];
  if (entry === undefined || status === undefined) return undefined;
  return { event, at: entry.at, order: { ...order, status, timeline: order.timeline.slice(0, index + 1) } };
}
