import { isSettled, type Order } from '../../domain/order.ts';
import { isConserved, isSoldOut } from '../../domain/travel-package.ts';
import type { Change } from '../../ports/store.ts';
import type { Applied, StoreCore } from './sim-store.ts';
import type { SupplierCore } from './sim-suppliers.ts';
import type { World } from './world.ts';

/**
 * The promises of domain/SPEC.md, held against what is stored and what the suppliers remember. They know nothing of
 * how the instances keep them.
 */
export class Checks {
  readonly #world: World;
  readonly #store: StoreCore;
  readonly #suppliers: SupplierCore;
  /** Per package: when it began, and ceased, to be sold out. */
  readonly #soldOut = new Map<number, { readonly from: number; to: number }[]>();
  /** Ids that somebody was told are accepted. */
  readonly #accepted = new Set<string>();
  /** Those of them that came with a key, by package and key. */
  readonly #byKey = new Map<string, string>();
  /** Ids of orders that have had a unit. */
  readonly #held = new Set<string>();

  constructor(world: World, store: StoreCore, suppliers: SupplierCore) {
    this.#world = world;
    this.#store = store;
    this.#suppliers = suppliers;
    for (const [id, shelf] of store.shelves) {
      this.#noteSoldOut(id, isSoldOut(shelf.package.quota, shelf.figures));
    }
    store.onApplied = (applied) => this.#applied(applied);
    suppliers.onReserve = (kind, key) => this.#reserved(kind, key);
    suppliers.onCancel = (kind, key) => this.#cancelled(kind, key);
  }

  /** A customer was told that the order is stored. */
  accepted(order: Order): void {
    const { id, key, packageId } = order;
    const world = this.#world;
    world.require(this.#store.orders.has(id), 'Q6', () => `order ${id} was accepted and is not stored`);
    this.#accepted.add(id);
    if (key === undefined) return;
    const name = `${packageId}:${key}`;
    const before = this.#byKey.get(name) ?? id;
    world.require(before === id, 'Q7', () => `key ${name} gave ${before}, and then ${id}`);
    this.#byKey.set(name, id);
  }

  /** A customer was told that the package is sold out, having asked at that time. */
  saidSoldOut(packageId: number, askedAt: number): void {
    const { now } = this.#world.scheduler;
    const spans = this.#soldOut.get(packageId) ?? [];
    const isTrue = spans.some(({ from, to }) => from <= now && to >= askedAt - this.#staleMs());
    this.#world.require(isTrue, 'Q4', () => `package ${packageId} was called sold out and was not`);
  }

  /** Once everything works again and time enough has passed: nothing is owed, and nobody waits. */
  settled(): void {
    for (const [id, { package: travelPackage, figures }] of this.#store.shelves) {
      for (const order of this.#store.ordersOf(id)) this.#ended(order);
      const { remaining, held, waiting } = figures;
      const isStuck = waiting > 0 && travelPackage.paused !== true;
      this.#world.require(
        !isStuck,
        'Q4',
        () => `package ${id}: ${waiting} still wait, ${remaining} are free`,
      );
      this.#world.require(held === 0, 'Q6', () => `package ${id}: ${held} are still held`);
    }
    for (const id of this.#accepted) {
      this.#world.require(this.#store.orders.has(id), 'Q6', () => `order ${id} was accepted and is lost`);
    }
    this.#ledgersMatch();
  }

  /** How old a snapshot that refuses may be: a quarter of a second, by clocks and news that may be late. */
  #staleMs(): number {
    const { messageLate, pause, clockJump } = this.#world.drawn;
    return 300 + (messageLate > 0 ? 10_000 : 0) + (pause > 0 ? 20_000 : 0) + (clockJump > 0 ? 10_000 : 0);
  }

  #applied({ packageId, shelf, change }: Applied): void {
    const { figures, package: travelPackage } = shelf;
    const orders = this.#store.ordersOf(packageId);
    const count = (...statuses: Order['status'][]) =>
      orders.filter(({ status }) => statuses.includes(status)).length;
    const { quota } = travelPackage;
    const require = this.#world.require.bind(this.#world);
    require(isConserved(quota, figures), 'Q1', () =>
      `package ${packageId}: ${JSON.stringify(figures)} of ${quota}`);
    require(figures.held === count('held', 'compensating'), 'Q1', () =>
      `package ${packageId}: held is miscounted`);
    require(figures.confirmed === count('confirmed', 'cancelling'), 'Q1', () =>
      `${packageId}: confirmed is miscounted`);
    require(figures.waiting === count('queued'), 'Q1', () => `package ${packageId}: waiting is miscounted`);
    require(figures.confirmed <= quota, 'Q3', () =>
      `package ${packageId}: ${figures.confirmed} of ${quota} are sold`);
    this.#isFair(packageId, orders, change);
    const said = change.updated.some(({ status }) => status === 'rejected');
    require(!said || isSoldOut(quota, figures), 'Q4', () =>
      `package ${packageId}: refused while not sold out`);
    this.#noteSoldOut(packageId, isSoldOut(quota, figures));
  }

  /** Units go by number: whoever got one in this commit has nobody before it who still waits. */
  #isFair(packageId: number, orders: readonly Order[], { inserted, updated }: Change): void {
    const first = orders.find(({ status }) => status === 'queued');
    for (const { status, number, id } of [...inserted, ...updated]) {
      if (status !== 'held' || this.#held.has(id)) continue;
      this.#held.add(id);
      const isOvertaking = first !== undefined && number > first.number;
      this.#world.require(
        !isOvertaking,
        'Q5',
        () => `package ${packageId}: ${number} came before ${first?.number}`,
      );
    }
  }

  #noteSoldOut(packageId: number, isNow: boolean): void {
    const { now } = this.#world.scheduler;
    const spans = this.#soldOut.get(packageId) ?? [];
    this.#soldOut.set(packageId, spans);
    const last = spans.at(-1);
    const isOpen = last?.to === Number.POSITIVE_INFINITY;
    if (isNow && !isOpen) spans.push({ from: now, to: Number.POSITIVE_INFINITY });
    if (!isNow && isOpen && last !== undefined) last.to = now;
  }

  #reserved(kind: string, key: string): void {
    const order = this.#store.orders.get(key);
    const isClaimed = order !== undefined && order.status !== 'queued';
    this.#world.require(isClaimed, 'Q2', () => `a ${kind} reservation for ${key}, which holds no unit`);
  }

  #cancelled(kind: string, key: string): void {
    const status = this.#store.orders.get(key)?.status;
    const isOwed =
      status !== undefined && ['compensating', 'cancelling', 'failed', 'cancelled'].includes(status);
    this.#world.require(
      isOwed,
      'Q9',
      () => `a ${kind} cancel for ${key}, which is ${status ?? 'not stored'}`,
    );
  }

  #ended(order: Order): void {
    const isOver = isSettled(order) || order.status === 'queued';
    this.#world.require(isOver, 'Q6', () => `order ${order.id} is still ${order.status}`);
  }

  #ledgersMatch(): void {
    const { ledgers } = this.#suppliers;
    for (const kind of ['flights', 'hotels'] as const) {
      for (const [key, { status }] of ledgers[kind]) {
        if (status !== 'active') continue;
        const order = this.#store.orders.get(key);
        const isWanted = order?.status === 'confirmed';
        this.#world.require(
          isWanted,
          'Q8',
          () => `${kind} of ${key} is live, and the order ${order?.status ?? 'lost'}`,
        );
      }
    }
    for (const { id, status, flight } of this.#store.orders.values()) {
      if (status !== 'confirmed') continue;
      const hasBoth = this.#suppliers.isActive('flights', id) && this.#suppliers.isActive('hotels', id);
      const hasTicket = ledgers.flights.get(id)?.number === flight?.ticketNumber;
      this.#world.require(hasBoth && hasTicket, 'Q8', () => `order ${id} is confirmed without its tickets`);
    }
  }
}
