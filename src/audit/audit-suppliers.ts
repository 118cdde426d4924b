import { confirmedStatuses, isUnfinished, type Order } from '../domain/order.ts';
import { UnreadableError } from '../storage/store.ts';
import { publicKeyPrefix, type Reservation, type SupplierKind } from '../suppliers/suppliers.ts';
import { NumberSet } from './audit-number-set.ts';
import type { AuditedStore } from './audit-package.ts';
import type { Finding } from './audit-report.ts';
import { type LedgerReader, LedgerUnavailableError } from './bounded-reads.ts';

const words = { flights: 'flight', hotels: 'hotel' } as const;

/** The number of a supplier's reservation, as stored in the order. */
const numberOf: Record<SupplierKind, (order: Order) => string | undefined> = {
  flights: ({ flight }) => flight?.ticketNumber,
  hotels: ({ hotel }) => hotel?.reservationNumber,
};

/**
 * Checks rule Q8: compares one supplier's ledger with the orders, while both change. It reports only differences that
 * cannot disappear by waiting:
 *
 * - The confirmed orders are noted before the ledger is read. If such an order has no reservation in the ledger and is
 *   still confirmed afterwards, it was confirmed all the time.
 * - A reservation's order is read after the reservation. If that order has ended, its reservations were cancelled
 *   before, so the reservation must be gone when the ledger is read again.
 */
export class SupplierAudit {
  readonly #kind: SupplierKind;
  readonly #store: AuditedStore;
  readonly #ledger: LedgerReader;
  readonly #confirmed = new Map<number, NumberSet>();
  readonly #reserved = new Map<number, NumberSet>();
  /** Active reservations of orders that have ended, by key. */
  readonly #suspects = new Map<string, Finding>();
  readonly #findings: Finding[] = [];
  reservations = 0;
  publicReservations = 0;

  constructor(kind: SupplierKind, store: AuditedStore, ledger: LedgerReader) {
    this.#kind = kind;
    this.#store = store;
    this.#ledger = ledger;
  }

  /** Notes an order. Must be called for every order before {@link run}. */
  see({ status, packageId, number }: Order): void {
    if (status === 'confirmed') numbersOf(this.#confirmed, packageId).add(number);
  }

  async run(pageSize: number, onReservations: (count: number) => void): Promise<readonly Finding[]> {
    for await (const reservations of this.#pages()) {
      await this.#compare(reservations);
      onReservations(reservations.length);
    }
    if (this.#suspects.size > 0) await this.#confirmSuspects();
    for (const [packageId, confirmed] of this.#confirmed) {
      const reserved = numbersOf(this.#reserved, packageId);
      if (!reserved.includes(confirmed)) await this.#nameMissing(packageId, reserved, confirmed, pageSize);
    }
    return this.#findings;
  }

  async *#pages(): AsyncGenerator<readonly Reservation[]> {
    let cursor: string | undefined;
    do {
      const page = await this.#ledger.ledger(this.#kind, cursor);
      yield page.items;
      if (page.next !== undefined && page.next === cursor) {
        throw new LedgerUnavailableError(`the ledger of ${this.#kind} does not go on after ${cursor}`);
      }
      cursor = page.next;
    } while (cursor !== undefined);
  }

  async #compare(reservations: readonly Reservation[]): Promise<void> {
    const active = reservations.filter(({ status }) => status === 'active');
    const owned = active.filter(({ key }) => !key.startsWith(publicKeyPrefix));
    this.publicReservations += active.length - owned.length;
    this.reservations += owned.length;
    const orders = await this.#store.orders(owned.map(({ key }) => key));
    const byId = new Map(orders.map((order) => [order.id, order]));
    for (const reservation of owned) {
      const order = byId.get(reservation.key);
      if (order !== undefined) this.#checkReservation(reservation, order);
    }
    await this.#findOrphans(owned.filter(({ key }) => !byId.has(key)));
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
  async #findOrphans(reservations: readonly Reservation[]): Promise<void> {
    const archived = new Set(await this.#store.archivedIds(reservations.map(({ key }) => key)));
    for (const { key, number } of reservations) {
      if (archived.has(key) || (await this.#isUnreadable(key))) continue;
      const message = `${words[this.#kind]} ${number} is reserved for no order`;
      this.#findings.push({ rule: 'Q8', orderId: key, message });
    }
  }

  #checkReservation({ key, number }: Reservation, order: Order): void {
    const what = `${words[this.#kind]} ${number}`;
    const { packageId, id: orderId, status } = order;
    numbersOf(this.#reserved, packageId).add(order.number);
    const finding = (message: string): Finding => ({ rule: 'Q8', packageId, orderId, message });
    const carried = numberOf[this.#kind](order);
    if (carried !== undefined && carried !== number) {
      this.#findings.push(finding(`${what} is reserved, but the order carries ${carried}`));
    }
    if (status === 'queued') {
      this.#findings.push(finding(`${what} is reserved for an order that has no unit yet`));
    } else if (!isUnfinished(order) && !confirmedStatuses.includes(status)) {
      this.#suspects.set(key, finding(`${what} is reserved for an order that is ${status}`));
    }
  }

  async #confirmSuspects(): Promise<void> {
    for await (const reservations of this.#pages()) {
      for (const { key, status } of reservations) {
        const finding = status === 'active' ? this.#suspects.get(key) : undefined;
        if (finding) this.#findings.push(finding);
      }
    }
  }

  /** Reads the package's orders again, and reports those that are still confirmed without a reservation. */
  async #nameMissing(
    packageId: number,
    reserved: NumberSet,
    confirmed: NumberSet,
    pageSize: number,
  ): Promise<void> {
    let cursor: string | undefined;
    do {
      const page = await this.#store.ordersPage(packageId, cursor, pageSize);
      for (const { id: orderId, number, status } of page.items) {
        if (status !== 'confirmed' || !confirmed.has(number) || reserved.has(number)) continue;
        const message = `the order is confirmed, but has no active ${words[this.#kind]} at the supplier`;
        this.#findings.push({ rule: 'Q8', packageId, orderId, message });
      }
      cursor = page.next;
    } while (cursor !== undefined);
  }
}

function numbersOf(sets: Map<number, NumberSet>, packageId: number): NumberSet {
  let numbers = sets.get(packageId);
  if (!numbers) {
    numbers = new NumberSet();
    sets.set(packageId, numbers);
  }
  return numbers;
}
