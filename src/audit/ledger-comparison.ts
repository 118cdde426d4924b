import type { Order, OrderStatus } from '../domain/order.ts';
import type { PartnerKind } from '../suppliers/suppliers.ts';

/** A ledger of somebody else that has to agree with the orders. */
export type Ledger = PartnerKind;

/**
 * How an order and an entry of a ledger differ. The active entry of a payment is one that is paid; one that is due counts too
 * where there must be none:
 *
 * - `missing`: the order is confirmed, and the ledger has no active entry for it.
 * - `other_number`: the order carries another number than the active entry.
 * - `no_number`: the order is confirmed and has an active entry, but does not carry its number.
 * - `too_early`: there is an active entry for an order that still waits for its unit.
 * - `ended`: there is an active entry for an order that has ended without a booking.
 * - `no_order`: there is an active entry, and no such order.
 * - `unreadable`: there is an active entry for an order that cannot be read.
 */
export type DifferenceKind =
  | 'missing'
  | 'other_number'
  | 'no_number'
  | 'too_early'
  | 'ended'
  | 'no_order'
  | 'unreadable';

/** What a comparison says of one order and one ledger. */
export interface Compared {
  readonly ledger: Ledger;
  readonly orderId: string;
  /** Absent, as the next two are, if there is no such order or it cannot be read. */
  readonly packageId?: number;
  /** The order's number in its package. */
  readonly number?: number;
  readonly status?: OrderStatus;
  /** The number of the booking that the order carries, or the amount of its payment, such as `10000 EUR`. */
  readonly inOrder?: string;
  /** The number or the amount of the active entry in the ledger. */
  readonly inLedger?: string;
}

export interface Difference extends Compared {
  readonly kind: DifferenceKind;
}

/**
 * `matched`: the order is confirmed, and the ledger has its booking. `in_progress`: the order was being booked or
 * cancelled while the ledger was read.
 */
export interface Agreement extends Compared {
  readonly kind: 'matched' | 'in_progress';
}

/**
 * Compares the orders with one ledger, while both change. It reports only differences that cannot disappear by waiting,
 * and needs a few bits of memory for each order. A ledger of a new kind takes part in the audit and in the reconciliation
 * as one more comparison.
 */
export interface LedgerComparison {
  /** Notes an order. Must be called for every order before {@link differences}. */
  see(order: Order): void;
  /**
   * Reads the ledger and compares it. Yields the differences of each page that it has read, also if there are none, so that
   * a caller can stop between two pages.
   * @param pageSize how many orders are read at a time.
   * @param onEntries called after each page of the ledger, with the number of its entries.
   * @throws StoreUnavailableError or LedgerUnavailableError
   */
  differences(pageSize: number, onEntries?: (count: number) => void): AsyncGenerator<readonly Difference[]>;
  /**
   * The result for an order without a difference; undefined if neither the order nor the ledger has a booking. Call it
   * after {@link differences}, with the order as it is then.
   */
  agreement(order: Order): Agreement | undefined;
}
