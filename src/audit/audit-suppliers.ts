import { confirmedStatuses, isUnfinished, type Order } from '../domain/order.ts';
import { UnreadableError } from '../storage/store.ts';
import { publicKeyPrefix } from '../suppliers/suppliers.ts';
import { NumberSet } from './audit-number-set.ts';
import type { AuditedStore } from './audit-package.ts';
import type { Finding } from './audit-report.ts';
import { LedgerUnavailableError } from './bounded-reads.ts';
import type { ComparedLedger, LedgerEntry } from './compared-ledgers.ts';
import type {
  Agreement,
  Compared,
  Difference,
  DifferenceKind,
  LedgerComparison,
} from './ledger-comparison.ts';

const words = { flights: 'flight', hotels: 'hotel' } as const;

/**
 * Compares the ledger of a supplier, or of the payment provider, with the orders (rules Q8, Q11). An active payment is one
 * that is paid.
 *
 * - The confirmed orders are noted before the ledger is read. If such an order has no reservation in the ledger and is
 *   still confirmed afterwards, it was confirmed all the time.
 * - A reservation's order is read after the reservation. If that order has ended, its reservations were cancelled
 *   before, so the reservation must be gone when the ledger is read again.
 */
export class LedgerAudit implements LedgerComparison {
  readonly #store: AuditedStore;
  readonly #ledger: ComparedLedger;
  readonly #confirmed: NumbersByPackage = new Map();
  readonly #reserved: NumbersByPackage = new Map();
  /** The orders whose number is that of their active reservation. */
  readonly #matched: NumbersByPackage = new Map();
  /** The orders with a difference. */
  readonly #differing: NumbersByPackage = new Map();
  /** The orders whose entries are in a ledger that is not read. */
  readonly #elsewhere: NumbersByPackage = new Map();
  /** Active reservations of orders that have ended, by key. */
  readonly #suspects = new Map<string, Difference>();
  reservations = 0;
  publicReservations = 0;

  constructor(store: AuditedStore, ledger: ComparedLedger) {
    this.#store = store;
    this.#ledger = ledger;
  }

  see(order: Order): void {
    if (order.status === 'confirmed' && this.#ledger.hasEntryOf(order))
      numbersOf(this.#confirmed, order.packageId).add(order.number);
    if (this.#ledger.isElsewhere(order)) numbersOf(this.#elsewhere, order.packageId).add(order.number);
  }

  /** How many orders that were seen have their entries in a ledger that is not read, so they are not compared. */
  get elsewhere(): number {
    let orders = 0;
    for (const numbers of this.#elsewhere.values()) orders += numbers.size;
    return orders;
  }

  async *differences(
    pageSize: number,
    onEntries: (count: number) => void = () => {},
  ): AsyncGenerator<readonly Difference[]> {
    for await (const reservations of this.#pages()) {
      yield await this.#compare(reservations);
      onEntries(reservations.length);
    }
    if (this.#suspects.size > 0) yield* this.#confirmedSuspects();
    for (const [packageId, confirmed] of this.#confirmed) {
      const reserved = numbersOf(this.#reserved, packageId);
      if (!reserved.includes(confirmed)) yield* this.#missing(packageId, reserved, confirmed, pageSize);
    }
  }

  agreement(order: Order): Agreement | undefined {
    const { packageId, number, status } = order;
    const isIn = (sets: NumbersByPackage) => sets.get(packageId)?.has(number) === true;
    if (isIn(this.#differing)) return undefined;
    if (status === 'confirmed' && isIn(this.#matched)) {
      return { kind: 'matched', ...this.#compared(order, this.#ledger.numberOf(order)) };
    }
    // An order may have been confirmed after the ledger was read.
    const isConfirmed = status === 'confirmed' && this.#ledger.hasEntryOf(order);
    const isInProgress = isConfirmed || (isIn(this.#reserved) && isUnfinished(order));
    return isInProgress ? { kind: 'in_progress', ...this.#compared(order) } : undefined;
  }

  async *#pages(): AsyncGenerator<readonly LedgerEntry[]> {
    let cursor: string | undefined;
    // A cursor that comes again means that the pages go round in a circle. Comparing with one earlier cursor is enough, if
    // it moves on after 1, 2, 4, 8 and so on pages (Brent).
    let marked: string | undefined;
    for (let pages = 1; ; pages++) {
      const { items, next } = await this.#ledger.page(cursor);
      yield items;
      if (next === undefined) return;
      if (next === marked) {
        throw new LedgerUnavailableError(`the ledger of ${this.#ledger.name} does not go on after ${next}`);
      }
      if (Number.isInteger(Math.log2(pages))) marked = next;
      cursor = next;
    }
  }

  async #compare(reservations: readonly LedgerEntry[]): Promise<Difference[]> {
    const active = reservations.filter(({ status }) => status !== 'cancelled');
    const owned = active.filter(({ key }) => !key.startsWith(publicKeyPrefix));
    this.publicReservations += active.length - owned.length;
    this.reservations += owned.length;
    const orders = await this.#store.orders(owned.map(({ key }) => key));
    const byId = new Map(orders.map((order) => [order.id, order]));
    const ofOrders = owned.flatMap((reservation) => {
      const order = byId.get(reservation.key);
      return order === undefined ? [] : this.#compareReservation(reservation, order);
    });
    return [...ofOrders, ...(await this.#orphans(owned.filter(({ key }) => !byId.has(key))))];
  }

  /** An order that cannot be read is missing in lists, but it exists. */
  async #isUnreadable(orderId: string): Promise<boolean> {
    try {
      await this.#store.order(orderId);
      return false;
    } catch (error) {
      if (error instanceof UnreadableError) return true;
      throw error;
    }
  }

  /** Suppliers keep the reservations of confirmed orders that were archived. */
  async #orphans(reservations: readonly LedgerEntry[]): Promise<Difference[]> {
    const archived = new Set(await this.#store.archivedIds(reservations.map(({ key }) => key)));
    const found: Difference[] = [];
    for (const { key, number } of reservations) {
      if (archived.has(key)) continue;
      const kind = (await this.#isUnreadable(key)) ? 'unreadable' : 'no_order';
      found.push({ kind, ledger: this.#ledger.name, orderId: key, inLedger: number });
    }
    return found;
  }

  /** The differences that are certain. A reservation of an order that has ended is noted as a suspect. */
  #compareReservation(entry: LedgerEntry, order: Order): Difference[] {
    const { key, number } = entry;
    const { packageId, status } = order;
    const found: Difference[] = [];
    const differ = (kind: DifferenceKind) => found.push(this.#difference(kind, order, number));
    // What is only due does not make a confirmed order complete.
    if (entry.status === 'active' || status !== 'confirmed')
      numbersOf(this.#reserved, packageId).add(order.number);
    const carried = this.#ledger.numberOf(order);
    if (entry.status === 'active') {
      // A payable order waits for another amount in vain, and the payment is refunded when the order expires.
      const mayDiffer = this.#ledger.name === 'payments' && isUnfinished(order);
      if (carried === number) numbersOf(this.#matched, packageId).add(order.number);
      else if (carried !== undefined && !mayDiffer) differ('other_number');
      else if (carried === undefined && status === 'confirmed') differ('no_number');
    }
    if (status === 'queued') {
      differ('too_early');
    } else if (!isUnfinished(order) && !confirmedStatuses.includes(status)) {
      this.#suspects.set(key, { kind: 'ended', ...this.#compared(order, number) });
    }
    return found;
  }

  async *#confirmedSuspects(): AsyncGenerator<readonly Difference[]> {
    for await (const reservations of this.#pages()) {
      yield reservations.flatMap(({ key, status }) =>
        status === 'cancelled' ? [] : (this.#suspects.get(key) ?? []),
      );
    }
  }

  /** Reads the package's orders again, and reports those that are still confirmed without a reservation. */
  async *#missing(
    packageId: number,
    reserved: NumberSet,
    confirmed: NumberSet,
    pageSize: number,
  ): AsyncGenerator<readonly Difference[]> {
    let cursor: string | undefined;
    do {
      const page = await this.#store.ordersPage(packageId, cursor, pageSize);
      const missing = page.items.filter(
        ({ number, status }) => status === 'confirmed' && confirmed.has(number) && !reserved.has(number),
      );
      yield missing.map((order) => this.#difference('missing', order));
      cursor = page.next;
    } while (cursor !== undefined);
  }

  #difference(kind: DifferenceKind, order: Order, inLedger?: string): Difference {
    numbersOf(this.#differing, order.packageId).add(order.number);
    return { kind, ...this.#compared(order, inLedger) };
  }

  #compared(order: Order, inLedger?: string): Compared {
    const { id: orderId, packageId, number, status } = order;
    const inOrder = this.#ledger.numberOf(order);
    return {
      ...{ ledger: this.#ledger.name, orderId, packageId, number, status },
      ...(inOrder === undefined ? {} : { inOrder }),
      ...(inLedger === undefined ? {} : { inLedger }),
    };
  }
}

/** The finding of a difference between an order and the ledger of the payment provider. Undefined as {@link findingOf}. */
function paymentFinding({
  kind,
  packageId,
  orderId,
  status,
  inOrder,
  inLedger,
}: Difference): Finding | undefined {
  const finding = (message: string): Finding => ({
    rule: 'Q11',
    ...(packageId === undefined ? {} : { packageId }),
    orderId,
    message,
  });
  switch (kind) {
    case 'missing':
      return finding(`the order is confirmed, but ${inOrder} is not paid at the provider`);
    case 'other_number':
      return finding(`${inLedger} is paid, but the order costs ${inOrder}`);
    case 'no_number':
      return finding(`${inLedger} is paid for an order that needs no payment`);
    case 'too_early':
      return finding(`${inLedger} is due or paid for an order that has no unit yet`);
    case 'ended':
      return finding(`${inLedger} is due or paid for an order that is ${status}`);
    case 'no_order':
      return finding(`${inLedger} is due or paid for no order`);
    case 'unreadable':
      return undefined;
  }
}

/**
 * The finding of a difference. Undefined if another check reports it: `audit-package.ts` reports unreadable orders, and
 * confirmed orders without a number.
 */
export function findingOf(difference: Difference): Finding | undefined {
  const { kind, ledger, packageId, orderId, status, inOrder, inLedger } = difference;
  if (ledger === 'payments') return paymentFinding(difference);
  const finding = (message: string): Finding => ({
    rule: 'Q8',
    ...(packageId === undefined ? {} : { packageId }),
    orderId,
    message,
  });
  const what = `${words[ledger]} ${inLedger}`;
  switch (kind) {
    case 'missing':
      return finding(`the order is confirmed, but has no active ${words[ledger]} at the supplier`);
    case 'other_number':
      return finding(`${what} is reserved, but the order carries ${inOrder}`);
    case 'too_early':
      return finding(`${what} is reserved for an order that has no unit yet`);
    case 'ended':
      return finding(`${what} is reserved for an order that is ${status}`);
    case 'no_order':
      return finding(`${what} is reserved for no order`);
    case 'no_number':
    case 'unreadable':
      return undefined;
  }
}

type NumbersByPackage = Map<number, NumberSet>;

function numbersOf(sets: NumbersByPackage, packageId: number): NumberSet {
  let numbers = sets.get(packageId);
  if (!numbers) {
    numbers = new NumberSet();
    sets.set(packageId, numbers);
  }
  return numbers;
}
