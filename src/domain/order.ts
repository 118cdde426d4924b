import type { Offer } from './travel-package.ts';

/**
 * ```
 *            ┌──────────► withdrawn | rejected(sold_out)
 * queued ────┤
 *            └► held ──► confirmed ──► cancelling ──► cancelled
 *                ├─► failed(reason)                    ▲ the unit returns here
 *                └─► compensating(reason) ──► failed   ▲ and here
 * ```
 *
 * An order that has to be paid is payable between held and confirmed. If it is not paid, it compensates.
 */
export type OrderStatus =
  | 'queued'
  | 'held'
  | 'payable'
  | 'compensating'
  | 'confirmed'
  | 'cancelling'
  | 'failed'
  | 'rejected'
  | 'withdrawn'
  | 'cancelled';

/** Why an order failed: a supplier refused or did not answer, it was not paid, or the package was sold out. */
export type OrderReason =
  | 'flight_unavailable'
  | 'hotel_unavailable'
  | 'invalid_ticket'
  | 'supplier_silent'
  | 'sold_out'
  | UnpaidReason;

/**
 * Why an order was not paid: the provider refused to make the payment, it declined it, the time was over, or the buyer
 * cancelled the order.
 */
export const unpaidReasons = [
  'payment_refused',
  'payment_declined',
  'payment_expired',
  'payment_abandoned',
] as const;
export type UnpaidReason = (typeof unpaidReasons)[number];

export const timelineEvents = [
  'queued',
  'claimed',
  'flight reserved',
  'flight refused',
  'flight unknown',
  'hotel reserved',
  'hotel refused',
  'hotel unknown',
  'payment due',
  'payment refused',
  'payment unknown',
  'paid',
  'payment declined',
  'payment expired',
  'confirmed',
  'compensating',
  'cancel requested',
  'flight cancelled',
  'hotel cancelled',
  'payment cancelled',
  'released',
  'failed',
  'cancelled',
  'withdrawn',
  'sold out',
] as const;
export type TimelineEvent = (typeof timelineEvents)[number];

export interface TimelineEntry {
  /** Unix time in ms. */
  readonly at: number;
  readonly event: TimelineEvent;
  readonly detail?: string;
}

/** The numbers that the suppliers have given for an order. */
export interface Reserved {
  readonly flight?: { readonly ticketNumber: string };
  readonly hotel?: { readonly reservationNumber: string };
}

/** What an order costs, and how it is paid. An order that was made while payments were off has none. */
export interface Payment {
  /** In minor units of the currency, such as cents. */
  readonly amount: number;
  /** An ISO 4217 code. */
  readonly currency: string;
  /**
   * The name of the provider that has the payment: `simulated` or `external`. Set when the order gets its unit. Absent
   * before, and in orders of older releases: then it is the provider that is configured.
   */
  readonly provider?: string;
  /** The provider's page, where the buyer pays. Absent until the payment is due. */
  readonly url?: string;
  /** When the unit goes to the next order in the queue, as Unix time in ms. Absent until the payment is due. */
  readonly payBy?: number;
}

/**
 * The currency of the order's price, as an ISO 4217 code: its own if it has to be paid, because the shop may have another
 * one since.
 * @param configured the currency of an order without a payment
 */
export function currencyOf({ payment }: Pick<Order, 'payment'>, configured: string): string {
  return payment?.currency ?? configured;
}

export interface Order extends Reserved {
  /** The order's id, in the canonical form of {@link orderIdFrom}. */
  readonly id: string;
  readonly packageId: number;
  /** Orders of a package are numbered from 1. Units go to the lowest waiting number first (rule Q5). */
  readonly number: number;
  /** The package as it was when the order was made. */
  readonly package: Offer;
  readonly email: string;
  readonly payment?: Payment;
  /** The Idempotency-Key of the purchase. Unique per package (rule Q7). */
  readonly key?: string;
  /** The code of the language in which its buyer is told of its outcome, such as `de`. Absent for English. */
  readonly language?: string;
  readonly status: OrderStatus;
  readonly reason?: OrderReason;
  /** Unix time in ms. */
  readonly createdAt: number;
  readonly timeline: readonly TimelineEntry[];
}

/** Orders with one of these statuses have an outcome. Only a confirmed order can change again, by a cancellation. */
export const settledStatuses: readonly OrderStatus[] = [
  'confirmed',
  'failed',
  'rejected',
  'withdrawn',
  'cancelled',
];
const settled: ReadonlySet<OrderStatus> = new Set(settledStatuses);

/** Whether the order has an outcome. A compensating order has no outcome yet, because its unit is not released. */
export function isSettled(order: Order): boolean {
  return settled.has(order.status);
}

/**
 * Whether `order` is an older version of `known`, because live updates may overtake each other. Every change of an
 * order makes its timeline longer, so the version with the shorter timeline is older.
 */
export function isOlder(order: Order, known: Order): boolean {
  return order.timeline.length < known.timeline.length;
}

/**
 * When a trip is over: at noon (UTC) of the day after its night, in Unix time in ms. The day of the flight has ended
 * everywhere by then. Undefined if the night is no date.
 */
function endOfTrip({ stay }: Offer): number | undefined {
  const noon = /^\d{4}-\d\d-\d\d$/.test(stay) ? Date.parse(`${stay}T12:00:00Z`) : Number.NaN;
  return Number.isNaN(noon) ? undefined : noon + 86_400_000;
}

/**
 * Whether the trip of the order is over. Never of an order that was made after its night, as orders of the sample packages
 * are.
 * @param now Unix time in ms
 */
export function isTripOver({ package: offer, createdAt }: Order, now: number): boolean {
  const end = endOfTrip(offer);
  return end !== undefined && createdAt < end && end <= now;
}

/** Whether the owner still has work to do for the order. */
export function isUnfinished(order: Order): boolean {
  return !settled.has(order.status);
}

/** Orders with these statuses count as `held` in the inventory (rule Q1). */
export const holdingStatuses: readonly OrderStatus[] = ['held', 'payable', 'compensating'];
/** Orders with these statuses count as `confirmed` in the inventory (rule Q1). */
export const confirmedStatuses: readonly OrderStatus[] = ['confirmed', 'cancelling'];
/** Orders with these statuses have a saga, which books the order, waits for its payment or cancels its reservations. */
export const sagaStatuses: readonly OrderStatus[] = ['held', 'payable', 'compensating', 'cancelling'];
/** Books an order, waits for its payment, or cancels its reservations. */
export type SagaWork = 'book' | 'awaitPayment' | 'compensate';

/** The saga that an order with one of the {@link sagaStatuses} needs. */
export function sagaOf({ status }: Order): SagaWork {
  if (status === 'held') return 'book';
  return status === 'payable' ? 'awaitPayment' : 'compensate';
}

/** The reservations of orders with these statuses have to be cancelled. */
export const owedStatuses: readonly OrderStatus[] = ['compensating', 'cancelling'];
export const unfinishedStatuses: readonly OrderStatus[] = ['queued', ...sagaStatuses];
export const orderStatuses: readonly OrderStatus[] = [...unfinishedStatuses, ...settledStatuses];

/* The transitions of the life cycle. Each returns a new order. `at` is a Unix time in ms. */

export function queue(order: Omit<Order, 'status' | 'timeline'>, at: number): Order {
  return { ...order, status: 'queued', timeline: [{ at, event: 'queued' }] };
}

/** Names the provider that is asked for a payment from now on, unless the payment names one. */
export function atProvider(payment: Payment, provider: string | undefined): Payment {
  return provider === undefined ? payment : { provider, ...payment };
}

/**
 * The commit that stores the order also claims a unit, so the order never waits in the queue.
 * @param provider the configured payment provider, which the order's saga asks from now on.
 */
export function claimAtOnce(order: Omit<Order, 'status' | 'timeline'>, at: number, provider?: string): Order {
  return held(order, [{ at, event: 'claimed' }], provider);
}

/** @param provider as in {@link claimAtOnce} */
export function claim(order: Order, at: number, provider?: string): Order {
  return held(order, log(order, at, 'claimed'), provider);
}

function held(
  order: Omit<Order, 'status' | 'timeline'>,
  timeline: readonly TimelineEntry[],
  provider: string | undefined,
): Order {
  const paid = order.payment && { payment: atProvider(order.payment, provider) };
  return { ...order, ...paid, status: 'held', timeline };
}

export function progress(order: Order, reserved: Reserved, events: readonly TimelineEntry[]): Order {
  return { ...order, ...reserved, timeline: merge(order, events) };
}

/** Flight and hotel are reserved, and the buyer may pay until `payBy`. */
export function requirePayment(
  order: Order,
  at: number,
  reserved: Required<Reserved>,
  payment: Payment & Required<Pick<Payment, 'url' | 'payBy'>>,
  events: readonly TimelineEntry[],
): Order {
  return {
    ...order,
    ...reserved,
    payment,
    status: 'payable',
    timeline: [...merge(order, events), { at, event: 'payment due' }],
  };
}

/** Whether the timeline says that this was reserved, or that an attempt to reserve it had an unknown outcome. */
export function mayHave(what: 'flight' | 'hotel' | 'payment', { timeline }: Order): boolean {
  const known = what === 'payment' ? 'payment due' : (`${what} reserved` as const);
  return timeline.some(({ event }) => event === known || event === `${what} unknown`);
}

export function confirm(
  order: Order,
  at: number,
  reserved: Reserved,
  events: readonly TimelineEntry[],
): Order {
  return {
    ...order,
    ...reserved,
    status: 'confirmed',
    timeline: [...merge(order, events), { at, event: 'confirmed' }],
  };
}

/** The order fails without anything to cancel, so its unit is released at once. */
export function fail(order: Order, at: number, reason: OrderReason, events: readonly TimelineEntry[]): Order {
  return { ...order, status: 'failed', reason, timeline: ended(merge(order, events), at, 'failed') };
}

/**
 * The order fails, but a reservation may exist at a supplier. Once this change is committed, the reservation must be
 * cancelled.
 */
export function compensate(
  order: Order,
  at: number,
  reason: OrderReason,
  reserved: Reserved,
  events: readonly TimelineEntry[],
): Order {
  return {
    ...order,
    ...reserved,
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

/** The commit that ends the order also releases its unit (rule Q2). */
function ended(timeline: TimelineEntry[], at: number, event: TimelineEvent): TimelineEntry[] {
  return [...timeline, { at, event: 'released' }, { at, event }];
}

/** Adds the events of a saga to the timeline. Events that a resumed saga repeats are left out. */
function merge(order: Order, events: readonly TimelineEntry[]): TimelineEntry[] {
  const isNew = ({ event, detail }: TimelineEntry) =>
    !order.timeline.some((entry) => entry.event === event && entry.detail === detail);
  return [...order.timeline, ...events.filter(isNew)];
}

/** Crockford's base32: no I, L, O or U (https://www.crockford.com/base32.html). */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const length = 16;

/** The number of random bytes in an order id: 64 bits, so that nobody can guess an id (rule Q10). */
export const orderIdBytes = 8;

/** The unit of the time in an order id, in ms. */
const tickMs = 100;

/**
 * Makes an order id in its canonical form `7Q4M-9XKD-2VBN-H5TR`: 16 bits of the time, then 64 random bits.
 *
 * Ids of about the same time are neighbours in the indexes of a store, so that a commit changes few of their pages. The
 * time is for nothing else: it begins again every 1.8 hours, and ids of one tick are in no order. Then new ids fall
 * between older ones, but each tick meets only one of 65,536 parts of them. Older releases made ids of 80 random bits,
 * in the same form.
 *
 * @param at Unix time in ms. After a jump of the clock, only the neighbours are others.
 * @param random eight bytes that nobody can guess
 * @throws RangeError unless there are exactly eight bytes.
 */
export function orderIdFrom(at: number, random: Uint8Array): string {
  if (random.length !== orderIdBytes) throw new RangeError(`an order id takes ${orderIdBytes} random bytes`);
  // The first character has the upper five bits of the time, the second the next five, and so on.
  let value = Math.floor(at / tickMs) & 0xffff;
  let bits = 16;
  let next = 0;
  for (let character = 0; character < length; character++) {
    if (bits < 5) {
      value = (value << 8) | (random[next++] as number);
      bits += 8;
    }
    bits -= 5;
    idText[character + (character >> 2)] = digits[(value >> bits) & 31] as number;
    value &= (1 << bits) - 1;
  }
  return idText.toString('latin1');
}

const digits = Buffer.from(alphabet);
/** The id that is made, with its dashes. A string that grows by a character would be a new object for each of them. */
const idText = Buffer.alloc(length + 3, '-');

/**
 * Parses an order id that a person typed or pasted. Ignores case, dashes, blanks and a leading `#`, and accepts
 * Crockford's look-alikes (O for 0, I and L for 1). Returns the canonical form, or undefined if the text is no order
 * id.
 */
export function parseOrderId(text: string): string | undefined {
  if (text.length > 100) return undefined;
  const plain = text
    .toUpperCase()
    .replace(/[\s\p{Pd}#.,;:'"<>()[\]\u200b\u2060\ufeff]/gu, '')
    .replace(/O/g, '0')
    .replace(/[IL]/g, '1');
  return new RegExp(`^[${alphabet}]{${length}}$`).test(plain) ? grouped(plain) : undefined;
}

function grouped(text: string): string {
  return `${text.slice(0, 4)}-${text.slice(4, 8)}-${text.slice(8, 12)}-${text.slice(12, 16)}`;
}
