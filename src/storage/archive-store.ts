import type { Order } from '../domain/order.ts';
import type { Page } from '../lib/page.ts';
import type { LedgerEntry, SupplierKind } from '../suppliers/suppliers.ts';
import type { OperatorEvent } from './operator-log.ts';

/** How many orders of a package were archived: written to an archive and removed from the store. */
export interface ArchivedCounts {
  readonly orders: number;
  /** The part of `orders` that was confirmed. Their units stay confirmed in the package's inventory (rule Q1). */
  readonly confirmed: number;
}

/** An entry of the simulated suppliers' ledger, as it is archived. */
export interface StoredReservation extends LedgerEntry {
  readonly kind: SupplierKind;
  /** When the supplier answered first, as Unix time in ms. Absent in entries of older releases. */
  readonly at?: number;
}

/**
 * Removes what was archived. Only `npm run archive` uses it, in a process of its own, while instances sell.
 *
 * No owner takes part, because an ended order is not in an owner's memory. The removed orders are counted beside the
 * package, in the commit that removes them, so a removal neither changes the package nor fences its owner. An owner
 * that changes an order at the same time makes one of the two commits fail, and reads the order again.
 *
 * A removal removes exactly the documents that it gets: one that has changed since it was read stays. A removal may be
 * repeated, and returns how many documents it removed this time. Each method throws StoreUnavailableError.
 */
export interface ArchiveStore {
  /** The ledger's entries of these orders. */
  reservationsOf(orderIds: readonly string[]): Promise<StoredReservation[]>;
  /** The entries that callers without the suppliers' token made, by key. */
  publicReservations(
    kind: SupplierKind,
    cursor: string | undefined,
    limit: number,
  ): Promise<Page<StoredReservation>>;
  /** The entries of the change log from before a time (Unix time in ms), newest first. */
  operatorEventsBefore(at: number, cursor: string | undefined, limit: number): Promise<Page<OperatorEvent>>;
  /**
   * Removes orders of one package that have ended, and of these orders the given entries of the ledger, and counts the
   * orders: all of it or nothing. An order that has changed keeps its entries too. Of confirmed orders the ids stay.
   */
  removeOrders(
    packageId: number,
    orders: readonly Order[],
    reservations: readonly StoredReservation[],
  ): Promise<number>;
  removeReservations(reservations: readonly StoredReservation[]): Promise<number>;
  removeOperatorEvents(events: readonly OperatorEvent[]): Promise<number>;
}
