import type { Order, OrderStatus, TimelineEvent } from './order.ts';

/** The ways to give notice. Each has its own deliveries, so that one that hangs does not delay the other. */
export const noticeChannels = ['mail', 'webhook'] as const;
export type NoticeChannel = (typeof noticeChannels)[number];

/**
 * The events that somebody is told of, in the order in which an order can have them. An order has each of them at most
 * once.
 */
export const noticeEvents = ['payable', 'confirmed', 'failed', 'cancelled', 'refunded'] as const;
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
  payable: { 'payment due': 'payable' },
  confirmed: { confirmed: 'confirmed' },
  // Whoever waits in the queue until everything is sold has no trip either.
  failed: { failed: 'failed', 'sold out': 'rejected' },
  cancelled: { cancelled: 'cancelled' },
  // An order is cancelled only after the payment provider has confirmed that the payment is refunded.
  refunded: { cancelled: 'cancelled' },
};

const eventsOfStatus = Map.groupBy(
  noticeEvents.flatMap((event) => Object.values(marks[event]).map((status) => ({ event, status }))),
  ({ status }) => status,
);

/** The events that an order has by getting its status, in their order. Empty if nobody is told. */
export function noticeEventsOf({ status, timeline }: Order): NoticeEvent[] {
  const events = (eventsOfStatus.get(status) ?? []).map(({ event }) => event);
  return events.filter((event) => canHave(event, timeline));
}

/**
 * Only what was paid is refunded. Whether a payment came after all while its order failed, or later, is unknown here: the
 * provider confirms that the payment is cancelled, and not whether it refunded one. The mail of `failed` says so.
 */
function canHave(event: NoticeEvent, timeline: Order['timeline']): boolean {
  return event !== 'refunded' || timeline.some((entry) => entry.event === 'paid');
}

/** Whether an order has changed since an event, so that a notice of the event would contradict what was told since. */
export function isOutdated(order: Order, event: NoticeEvent): boolean {
  return orderAt(order, event)?.isPast === true;
}

/** An order as it was when an event happened. */
export interface OrderAt {
  readonly event: NoticeEvent;
  /** When it happened, as Unix time in ms. */
  readonly at: number;
  readonly order: Order;
  /** Whether the order has changed since. */
  readonly isPast: boolean;
}

/**
 * The order as it was at an event, from a later state: later changes only add to the timeline, and to an order that
 * fails a reason. Undefined if the order never had the event.
 */
export function orderAt(order: Order, event: NoticeEvent): OrderAt | undefined {
  const { reason, ...rest } = order;
  const index = order.timeline.findLastIndex((entry) => marks[event][entry.event] !== undefined);
  const entry = order.timeline[index];
  const status = entry && marks[event][entry.event];
  if (entry === undefined || status === undefined || !canHave(event, order.timeline)) return undefined;
  const timeline = order.timeline.slice(0, index + 1);
  const why = event === 'failed' && reason !== undefined ? { reason } : {};
  return {
    event,
    at: entry.at,
    order: { ...rest, ...why, status, timeline },
    isPast: timeline.length < order.timeline.length,
  };
}
