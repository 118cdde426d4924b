import { confirmedStatuses, holdingStatuses, type Order, type OrderStatus } from '../domain/order.ts';
import { isConserved, type PackageSnapshot } from '../domain/travel-package.ts';
import type { ArchivedCounts } from '../storage/archive-store.ts';
import { SnapshotExpiredError, type Store, type StoreSnapshot, UnreadableError } from '../storage/store.ts';
import { Fairness } from './audit-fairness.ts';
import type { AuditedRule, Finding } from './audit-report.ts';

/** The part of the store that an audit reads. */
export type AuditedStore = Pick<
  Store,
  | 'packagesPage'
  | 'package'
  | 'packageWithOrdersAbove'
  | 'unreadable'
  | 'order'
  | 'orders'
  | 'ordersPage'
  | 'ordersByKey'
  | 'archivedCounts'
  | 'archivedIds'
  | 'snapshot'
>;

export interface PackageAudit {
  readonly orders: number;
  /** Absent if the package changed during every attempt. */
  readonly findings?: readonly Finding[];
}

export interface PackageAuditOptions {
  readonly pageSize: number;
  readonly clockSkewMs: number;
  /** Called for each order, in every attempt. `count`: the orders that this attempt has read. */
  readonly onOrder: (order: Order, count: number) => void;
}

/** The most gaps in the numbers of a package that are named. */
const gapsMax = 1_000;

/** The most attempts to read a package that changes during the read. */
const attemptsMax = 5;

/**
 * Checks one package by its inventory and all its orders, as they were at one moment. The orders are read in a
 * snapshot, or else between two reads of the inventory that are equal. Two equal reads are as good as a snapshot: no
 * order can take or return a unit, or join or leave the queue, without a lasting change of a count or `nextNumber`, and
 * none can be archived without a lasting change of the archived counts.
 * A package that takes longer to read than the store keeps a snapshot is read without one.
 */
export async function auditPackage(
  store: AuditedStore,
  id: number,
  options: PackageAuditOptions,
): Promise<PackageAudit> {
  let orders = 0;
  let isSnapshotKept = true;
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    const snapshot = isSnapshotKept ? await store.snapshot?.() : undefined;
    try {
      const audited = await readOnce(snapshot ?? store, id, options);
      orders = audited.orders;
      if (audited.findings) return audited;
    } catch (error) {
      if (error instanceof UnreadableError) return { orders: 0, findings: [unreadable(id, [error])] };
      if (snapshot === undefined || !(error instanceof SnapshotExpiredError)) throw error;
      isSnapshotKept = false;
    } finally {
      await snapshot?.close();
    }
  }
  return { orders };
}

type Reads = Omit<StoreSnapshot, 'close'>;

async function readOnce(reads: Reads, id: number, options: PackageAuditOptions): Promise<PackageAudit> {
  const before = await reads.package(id);
  if (!before) return { orders: 0, findings: [] };
  const archived = await reads.archivedCounts(id);
  const check = new PackageCheck(before, archived, options.clockSkewMs);
  let cursor: string | undefined;
  do {
    const page = await reads.ordersPage(id, cursor, options.pageSize);
    for (const order of page.items) {
      check.see(order);
      options.onOrder(order, check.orders);
    }
    check.seeUnreadable(page.unreadable ?? []);
    check.compareKeys(page.items, await reads.ordersByKey(id, keysOf(page.items)));
    cursor = page.next;
  } while (cursor !== undefined);
  const after = await reads.package(id);
  const { orders: archivedAfter } = await reads.archivedCounts(id);
  const stoodStill = after && isSame(before, after) && archived.orders === archivedAfter;
  return stoodStill ? { orders: check.orders, findings: check.finish() } : { orders: check.orders };
}

class PackageCheck {
  readonly #snapshot: PackageSnapshot;
  readonly #archived: ArchivedCounts;
  readonly #fairness: Fairness;
  readonly #findings: Finding[] = [];
  /** Numbers without an order. */
  readonly #gaps: Finding[] = [];
  readonly #unreadable: UnreadableError[] = [];
  readonly #counts = new Map<OrderStatus, number>();
  #lastNumber = 0;
  /** How many numbers below the last one have no order. */
  #missing = 0;
  orders = 0;

  constructor(snapshot: PackageSnapshot, archived: ArchivedCounts, clockSkewMs: number) {
    this.#snapshot = snapshot;
    this.#archived = archived;
    this.#fairness = new Fairness(clockSkewMs);
  }

  see(order: Order): void {
    this.orders += 1;
    this.#counts.set(order.status, (this.#counts.get(order.status) ?? 0) + 1);
    this.#fairness.see(order);
    this.#compareNumber(order);
    if (order.status === 'confirmed' && !(order.flight && order.hotel)) {
      this.#find('Q8', 'the order is confirmed without a flight and a hotel', order.id);
    }
    const isPaid = order.timeline.some(({ event }) => event === 'paid');
    if (order.status === 'confirmed' && order.payment !== undefined && !isPaid) {
      this.#find('Q11', 'the order is confirmed, but it was not seen that it is paid', order.id);
    }
  }

  seeUnreadable(errors: readonly UnreadableError[]): void {
    this.#unreadable.push(...errors);
  }

  /** Checks rule Q7. `sameKey` contains all stored orders with the keys of `orders`. */
  compareKeys(orders: readonly Order[], sameKey: readonly Order[]): void {
    const byKey = new Map(orders.map((order) => [order.key, order]));
    for (const other of sameKey) {
      const order = byKey.get(other.key);
      if (!order || order.number <= other.number) continue;
      this.#find('Q7', `the order has the same Idempotency-Key as order ${other.id}`, order.id);
    }
  }

  finish(): readonly Finding[] {
    this.#compareInventory();
    // Orders that cannot be read can be neither counted nor missed.
    if (this.#unreadable.length === 0) {
      this.#compareNumbers();
      this.#compareOrders();
    } else this.#findings.push(unreadable(this.#snapshot.package.id, this.#unreadable));
    for (const breach of this.#fairness.breaches()) this.#find('Q5', breach);
    return this.#findings;
  }

  #compareNumber({ id, number }: Order): void {
    const expected = this.#lastNumber + 1;
    if (number < expected) this.#find('Q5', `number ${number} was given more than once`, id);
    if (number > expected) this.#findGap(expected, number - 1);
    this.#lastNumber = Math.max(this.#lastNumber, number);
  }

  #findGap(first: number, last: number): void {
    this.#missing += last - first + 1;
    // Without this limit, a package with a million archived orders would need a million findings in memory.
    if (this.#gaps.length >= gapsMax) return;
    const missing = first === last ? `${first}` : `${first} to ${last}`;
    this.#gaps.push(this.#finding('Q5', `there is no order with number ${missing}`));
  }

  #compareInventory(): void {
    const { package: travelPackage, inventory } = this.#snapshot;
    const { quota } = travelPackage;
    if (!isConserved(quota, inventory)) {
      const { remaining, held, confirmed, cancelling, waiting } = inventory;
      const words = `remaining ${remaining}, held ${held}, confirmed ${confirmed}, cancelling ${cancelling}, waiting ${waiting}`;
      this.#find('Q1', `the inventory do not add up: quota ${quota}, ${words}`);
    }
    const counted = this.#archived.confirmed + this.#count(...confirmedStatuses);
    const confirmed = Math.max(inventory.confirmed, counted);
    if (confirmed > quota) this.#find('Q3', `${confirmed} units are confirmed of a quota of ${quota}`);
  }

  #compareOrders(): void {
    const { inventory } = this.#snapshot;
    const counted = {
      held: this.#count(...holdingStatuses),
      confirmed: this.#archived.confirmed + this.#count(...confirmedStatuses),
      cancelling: this.#count('cancelling'),
      waiting: this.#count('queued'),
    };
    for (const [name, count] of Object.entries(counted)) {
      const stored = inventory[name as keyof typeof counted];
      if (stored !== count) {
        this.#find('Q1', `the package says ${name} ${stored}, its orders say ${count}`);
      }
    }
  }

  /** Each number below the next one has an order, or had one that was archived. */
  #compareNumbers(): void {
    const { nextNumber } = this.#snapshot.inventory;
    const { orders: archived } = this.#archived;
    const missing = this.#missing + nextNumber - 1 - this.#lastNumber;
    if (missing === archived && nextNumber > this.#lastNumber) return;
    this.#findings.push(...this.#gaps);
    if (archived > 0) {
      const message = `${missing} numbers have no order, but ${archived} orders were archived`;
      this.#find('Q5', message);
    } else if (nextNumber !== this.#lastNumber + 1) {
      this.#find('Q5', `the next number is ${nextNumber}, but the last order has number ${this.#lastNumber}`);
    }
  }

  #count(...statuses: readonly OrderStatus[]): number {
    return statuses.reduce((sum, status) => sum + (this.#counts.get(status) ?? 0), 0);
  }

  #find(rule: AuditedRule, message: string, orderId?: string): void {
    this.#findings.push(this.#finding(rule, message, orderId));
  }

  #finding(rule: AuditedRule, message: string, orderId?: string): Finding {
    const packageId = this.#snapshot.package.id;
    return { rule, packageId, ...(orderId === undefined ? {} : { orderId }), message };
  }
}

/** Nobody can find or finish an order that cannot be read (rule Q6). One finding stands for all of a package. */
export function unreadable(packageId: number, errors: readonly UnreadableError[]): Finding {
  const [first] = errors;
  const others = errors.length > 1 ? ` (and ${errors.length - 1} more orders)` : '';
  return {
    rule: 'Q6',
    packageId,
    ...(first?.subject.orderId === undefined ? {} : { orderId: first.subject.orderId }),
    message: `${first?.message}${others}`,
  };
}

function keysOf(orders: readonly Order[]): string[] {
  return orders.flatMap(({ key }) => key ?? []);
}

function isSame(before: PackageSnapshot, after: PackageSnapshot): boolean {
  const names = Object.keys(before.inventory) as (keyof PackageSnapshot['inventory'])[];
  return (
    before.package.version === after.package.version &&
    names.every((name) => before.inventory[name] === after.inventory[name])
  );
}
