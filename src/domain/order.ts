import type { Offer } from './travel-package.ts';

/**
 * ```
 *            ┌──────────► withdrawn | rejected(sold_out)
 * queued ────┤
 *            └► held ──► confirmed ──► cancelling ──► cancelled
 *                ├─► failed(reason)                    ▲ the unit returns here
 *                └─► compensating(reason) ──► failed   ▲ and here
 * ```
 */
export type OrderStatus =
  | 'queued'
  | 'held'
  | 'compensating'
  | 'confirmed'
  | 'cancelling'
  | 'failed'
  | 'rejected'
  | 'withdrawn'
  | 'cancelled';

/** Why an order was refused a trip: by a supplier, by its silence, or because nothing was left. */
export type OrderReason =
  | 'flight_unavailable'
  | 'hotel_unavailable'
  | 'invalid_ticket'
  | 'supplier_silent'
  | 'sold_out';

export const timelineEvents = [
  'queued',
  'claimed',
  'flight reserved',
  'flight refused',
  'flight unknown',
  'hotel reserved',
  'hotel refused',
  'hotel unknown',
  'confirmed',
  'compensating',
  'cancel requested',
  'flight cancelled',
  'hotel cancelled',
  'released',
  'failed',
  'cancelled',
  'withdrawn',
  'sold out',
] as const;
export type TimelineEvent = (typeof timelineEvents)[number];

export interface TimelineEntry {
  /** ms since the epoch. */
  readonly at: number;
  readonly event: TimelineEvent;
  readonly detail?: string;
}

export interface Order {
  /** Canonical form, see ids.ts. */
  readonly id: string;
  readonly packageId: number;
  /** The package's running number of this order: units go by it (rule Q5). */
  readonly number: number;
  /** The package as bought. */
  readonly package: Offer;
  readonly email: string;
  /** The Idempotency-Key it came with. Unique per package (rule Q7). */
  readonly key?: string;
  readonly status: OrderStatus;
  readonly reason?: OrderReason;
  readonly flight?: { readonly ticketNumber: string };
  readonly hotel?: { readonly reservationNumber: string };
  /** ms since the epoch. */
  readonly createdAt: number;
  readonly timeline: readonly TimelineEntry[];
}

/** The statuses that nothing follows, unless the buyer cancels a confirmed order. */
const settled: ReadonlySet<OrderStatus> = new Set([
  'confirmed',
  'failed',
  'rejected',
  'withdrawn',
  'cancelled',
]);

/** Whether the buyer has an outcome. A compensating order has failed already: only its unit is on the way back. */
export function isSettled(order: Order): boolean {
  return settled.has(order.status);
}

/**
 * Whether `order` is older than what is known of it already: news may overtake each other. Every change of an order
 * adds to its timeline.
 */
export function isOlder(order: Order, known: Order): boolean {
  return order.timeline.length < known.timeline.length;
}

/** Whether an owner still has work to do for it. */
export function isUnfinished(order: Order): boolean {
  return !settled.has(order.status);
}

/** The statuses that hold one of the package's units, as `held` and as `confirmed` (rule Q1). */
export const holdingStatuses: readonly OrderStatus[] = ['held', 'compensating'];
export const confirmedStatuses: readonly OrderStatus[] = ['confirmed', 'cancelling'];
export const unfinishedStatuses: readonly OrderStatus[] = ['queued', 'held', 'compensating', 'cancelling'];
