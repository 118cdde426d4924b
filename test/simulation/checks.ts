import { isSettled, type Order, type OrderStatus } from '../../src/domain/order.ts';
import type { Inventory } from '../../src/domain/travel-package.ts';
import { type PartnerKind, type SupplierKind, supplierKinds } from '../../src/suppliers/suppliers.ts';
import type { OrderChecks } from './order-checks.ts';
import type { PaymentChecks } from './payment-checks.ts';
import type { LeaseCore } from './sim-leases.ts';
import type { AppliedCommit, StoreCore } from './sim-store.ts';
import type { SupplierCore } from './sim-suppliers.ts';
import type { SoldOutTimes } from './sold-out-times.ts';
import type { SimHost, World } from './world.ts';

/**
 * Checks the promises of domain/SPEC.md after every change of the store and of the suppliers' ledgers. The checks count
 * orders themselves and do not use the product's code to count.
 */
export class Checks {
  readonly #world: World;
  readonly #store: StoreCore;
  readonly #leases: LeaseCore;
  readonly #suppliers: SupplierCore;
  readonly #soldOut: SoldOutTimes;
  /** The last owner of each package. */
  readonly #owners = new Map<number, SimHost>();
  /** Ids of orders that have held a unit. */
  readonly #held = new Set<string>();

  readonly #orderChecks: OrderChecks;
  readonly #paymentChecks: PaymentChecks | undefined;

  /** @param paymentChecks undefined if payments are off. */
  constructor(
    world: World,
    store: StoreCore,
    leases: LeaseCore,
    suppliers: SupplierCore,
    soldOut: SoldOutTimes,
    orderChecks: OrderChecks,
    paymentChecks: PaymentChecks | undefined,
  ) {
    this.#orderChecks = orderChecks;
    this.#paymentChecks = paymentChecks;
    this.#world = world;
    this.#store = store;
    this.#leases = leases;
    this.#suppliers = suppliers;
    this.#soldOut = soldOut;
    for (const [id, row] of store.packages) soldOut.note(id, row.package.quota === 0, 0);
    store.onTaken = (packageId, by) => this.#owners.set(packageId, by);
    store.onApplied = (applied) => this.#onCommit(applied);
    suppliers.onAttempt = (host, kind, key) => this.#checkAttempt(host, kind, key);
    suppliers.onReserve = (kind, key) => this.#onReserve(kind, key);
    suppliers.onActive = (kind, key) => this.#checkWanted(kind, key);
    suppliers.onCancel = (kind, key) => this.#onCancel(kind, key);
    if (paymentChecks === undefined) return;
    const { core } = paymentChecks;
    core.onAttempt = (host, key) => this.#checkAttempt(host, 'payments', key);
    core.onRequest = (key) => this.#onReserve('payments', key);
    core.onCancel = (key) => this.#onCancel('payments', key);
  }

  /**
   * Q6: soon after the end of the faults every package with work has a live owner. An owner whose orders all wait for
   * their buyers to pay writes nothing for a while, so it may not have learned yet that another instance took the package
   * and ended. It keeps its lease and looks the payments up meanwhile.
   */
  checkOwners(now: number): void {
    for (const id of this.#store.packages.keys()) {
      const owner = this.#owners.get(id);
      const isIdle = !this.#store.hasWork(id) || !this.#store.isOwnableFor(id, now);
      const worker = this.#store.waitsForPayments(id) ? this.#leases.holder(id, now) : owner;
      const isOwned = worker?.isAlive === true && worker.pausedUntil <= now;
      this.#require(isIdle || isOwned, 'Q6', () => `package ${id} has no owner: ${owner?.name} is gone`);
    }
  }

  /** Checks at the end that no order waits and no booking or cancellation is unfinished. */
  checkSettled(): void {
    for (const [id, { package: travelPackage, inventory }] of this.#store.packages) {
      if (!this.#store.isOwnable(id)) continue;
      for (const order of this.#store.ordersOf(id)) this.#checkEnded(order);
      const { remaining, held, waiting } = inventory;
      const isStuck = waiting > 0 && travelPackage.paused !== true;
      this.#require(!isStuck, 'Q4', () => `package ${id}: ${waiting} still wait, ${remaining} are free`);
      this.#require(held === 0, 'Q6', () => `package ${id}: ${held} are still held`);
    }
    for (const kind of supplierKinds) {
      for (const key of this.#suppliers.ledgers[kind].keys()) this.#checkWanted(kind, key);
    }
    this.#paymentChecks?.checkSettled();
  }

  #require(holds: boolean, rule: string, words: () => string): void {
    this.#world.require(holds, rule, words);
  }

  #onCommit(applied: AppliedCommit): void {
    const { packageId, row, before, change, by } = applied;
    const orders = this.#store.ordersOf(packageId);
    const name = `package ${packageId}`;
    this.#require(
      by === this.#owners.get(packageId),
      'Q9',
      () => `${name}: ${by.name} wrote, and is no owner`,
    );
    this.#checkCounts(name, row.package.quota, row.inventory, orders);
    const numbers = change.inserted.map(({ number }) => number - before.inventory.nextNumber);
    const isNumbered = numbers.every((number, index) => number === index);
    this.#require(isNumbered, 'Q5', () => `${name}: ${numbers} are not the next numbers`);
    this.#orderChecks.onCommit(applied, orders);
    this.#checkFairness(name, orders, [...change.inserted, ...change.updated]);
    const isSoldOut = orders.filter(({ status }) => status === 'confirmed').length >= row.package.quota;
    const said = change.updated.some(({ status }) => status === 'rejected');
    this.#require(!said || isSoldOut, 'Q4', () => `${name}: refused while not sold out`);
    this.#soldOut.note(packageId, isSoldOut, this.#world.scheduler.now);
    for (const order of [...change.inserted, ...change.updated]) this.#checkTickets(order);
    this.#paymentChecks?.onCommit(applied);
  }

  #checkCounts(name: string, quota: number, inventory: Inventory, orders: readonly Order[]): void {
    const { remaining, held, confirmed, cancelling, waiting } = inventory;
    const words = () => `${name}: ${JSON.stringify(inventory)} of ${quota}`;
    const isWhole = quota === remaining + held + confirmed && Math.min(remaining, held, cancelling) >= 0;
    this.#require(isWhole, 'Q1', words);
    const counts = new Map<OrderStatus, number>();
    for (const { status } of orders) counts.set(status, (counts.get(status) ?? 0) + 1);
    const count = (...statuses: OrderStatus[]) =>
      statuses.reduce((sum, status) => sum + (counts.get(status) ?? 0), 0);
    const isHeld = held === count('held', 'payable', 'compensating');
    const isConfirmed = confirmed === count('confirmed', 'cancelling');
    const isCancelling = cancelling === count('cancelling');
    const isWaiting = waiting === count('queued');
    this.#require(isHeld && isConfirmed && isCancelling && isWaiting, 'Q1', () => `${words()} is miscounted`);
    this.#require(confirmed <= quota, 'Q3', words);
  }

  /** Q5: no order may get a unit while an order with a lower number waits. */
  #checkFairness(name: string, orders: readonly Order[], changed: readonly Order[]): void {
    const first = orders.find(({ status }) => status === 'queued');
    for (const { status, number, id } of changed) {
      if (status !== 'held' || this.#held.has(id)) continue;
      this.#held.add(id);
      const isOvertaking = first !== undefined && number > first.number;
      this.#require(!isOvertaking, 'Q5', () => `${name}: ${number} came before ${first?.number}`);
    }
  }

  /** Q8: a confirmed or payable order has both reservations, and a failed or cancelled order has none. */
  #checkTickets({ id, status, flight, hotel }: Order): void {
    const has = supplierKinds.map((kind) => this.#suppliers.isActive(kind, id));
    if (status === 'confirmed' || status === 'payable') {
      const { flights, hotels } = this.#suppliers.ledgers;
      const isTicket = flights.get(id)?.number === flight?.ticketNumber;
      const isRoom = hotels.get(id)?.number === hotel?.reservationNumber;
      const hasAll = has.every((each) => each) && isTicket && isRoom;
      this.#require(hasAll, 'Q8', () => `order ${id} is ${status} without its tickets`);
    } else if (status === 'failed' || status === 'cancelled') {
      this.#require(!has.includes(true), 'Q8', () => `order ${id} is ${status}, and a ticket of it is live`);
    }
  }

  /**
   * Q8: an owner begins to reserve only for an order that is held. A former owner may do so for any order, because its
   * reservation finds the cancellation.
   */
  #checkAttempt(host: SimHost, kind: PartnerKind, key: string): void {
    const order = this.#store.orders.get(key);
    if (order === undefined || host !== this.#owners.get(order.packageId)) return;
    const { status } = order;
    this.#require(
      status === 'held',
      'Q8',
      () => `a ${kind} reservation begins for ${key}, which is ${status}`,
    );
  }

  #onReserve(kind: string, key: string): void {
    const order = this.#store.orders.get(key);
    const isClaimed = order !== undefined && order.status !== 'queued';
    this.#require(isClaimed, 'Q2', () => `a ${kind} reservation for ${key}, which holds no unit`);
  }

  /** Q8: a live reservation belongs to an order with a unit. The order's cancellation may be pending. */
  #checkWanted(kind: SupplierKind, key: string): void {
    if (!this.#suppliers.isActive(kind, key)) return;
    const status = this.#store.orders.get(key)?.status;
    const isWanted =
      status !== undefined && ['held', 'payable', 'compensating', 'confirmed', 'cancelling'].includes(status);
    this.#require(isWanted, 'Q8', () => `${kind} of ${key} is live, and the order ${status ?? 'lost'}`);
  }

  #onCancel(kind: string, key: string): void {
    const status = this.#store.orders.get(key)?.status;
    const isOwed =
      status !== undefined && ['compensating', 'cancelling', 'failed', 'cancelled'].includes(status);
    this.#require(isOwed, 'Q9', () => `a ${kind} cancel for ${key}, which is ${status ?? 'not stored'}`);
  }

  #checkEnded(order: Order): void {
    const isOver = isSettled(order) || order.status === 'queued';
    this.#require(isOver, 'Q6', () => `order ${order.id} is still ${order.status}`);
    this.#checkTickets(order);
  }
}
