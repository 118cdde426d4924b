import type { Change, Ownership } from './messages.ts';
import type { Order } from './order.ts';
import type { Inventory, TravelPackage } from './travel-package.ts';

/**
 * The committed state of a package in its owner's memory. Only {@link apply} changes it, and only with a change that
 * the store is known to have applied.
 */
export class PackageState {
  readonly epoch: number;
  #seq: number;
  #package: TravelPackage;
  #inventory: Inventory;
  readonly #orders = new Map<string, Order>();
  readonly #queue = new WaitingQueue();
  /** Whether the suppliers answer. While they do not, no unit is claimed. Not stored. */
  suppliersAvailable: boolean;

  constructor(ownership: Ownership, suppliersAvailable: boolean) {
    this.epoch = ownership.fence.epoch;
    this.#seq = ownership.fence.seq;
    this.#package = ownership.package;
    this.#inventory = ownership.inventory;
    this.suppliersAvailable = suppliersAvailable;
    for (const order of ownership.unfinished) this.#take(order);
  }

  get seq(): number {
    return this.#seq;
  }

  get package(): TravelPackage {
    return this.#package;
  }

  get inventory(): Inventory {
    return this.#inventory;
  }

  /** All unfinished orders by id: queued, held, compensating or cancelling. */
  get orders(): ReadonlyMap<string, Order> {
    return this.#orders;
  }

  /** The queued orders, by number. */
  get queue(): WaitingQueue {
    return this.#queue;
  }

  /** Takes over a change that the store has applied. */
  apply(change: Change): void {
    this.#seq += 1;
    this.#inventory = change.inventory;
    if (change.package !== undefined) this.#package = change.package;
    for (const order of change.inserted) this.#take(order);
    for (const order of change.updated) this.#take(order);
  }

  #take(order: Order): void {
    const before = this.#orders.get(order.id);
    if (before?.status === 'queued' && order.status !== 'queued') this.#queue.remove(order.number);
    if (before === undefined && order.status === 'queued') this.#queue.add(order.number, order.id);
    switch (order.status) {
      case 'queued':
      case 'held':
      case 'compensating':
      case 'cancelling':
        this.#orders.set(order.id, order);
        break;
      default:
        this.#orders.delete(order.id);
    }
  }
}

interface Waiter {
  readonly number: number;
  readonly orderId: string;
}

/**
 * The queue of a package: orders by number. Numbers only grow, so it is an array with a head. An order that leaves
 * from the middle stays as a gap until there are enough gaps for a sweep. Adding and removing cost O(1) amortized,
 * a position O(log n).
 */
export class WaitingQueue implements Iterable<Waiter> {
  #waiters: Waiter[] = [];
  #head = 0;
  /** Numbers of the orders that left from behind the head, ascending. */
  #gaps: number[] = [];

  get size(): number {
    return this.#waiters.length - this.#head - this.#gaps.length;
  }

  /** @throws RangeError unless the number is greater than any before. */
  add(number: number, orderId: string): void {
    const last = this.#waiters.at(-1);
    if (last !== undefined && last.number >= number) throw new RangeError('numbers in the queue only grow');
    this.#waiters.push({ number, orderId });
  }

  /** Does nothing if the number is not in the queue. */
  remove(number: number): void {
    const index = lowerBound(this.#waiters, number, this.#head);
    if (this.#waiters[index]?.number !== number) return;
    const gap = gapIndex(this.#gaps, number);
    if (this.#gaps[gap] === number) return;
    this.#gaps.splice(gap, 0, number);
    this.#skipGaps();
    if (this.#gaps.length > 64 + (this.#waiters.length - this.#head) / 16) this.#sweep();
    if (this.#head > 1024 && this.#head * 2 > this.#waiters.length) this.#sweep();
  }

  /** The position of a number, from 1; undefined if it is not in the queue. */
  position(number: number): number | undefined {
    const index = lowerBound(this.#waiters, number, this.#head);
    const gap = gapIndex(this.#gaps, number);
    if (this.#waiters[index]?.number !== number || this.#gaps[gap] === number) return undefined;
    return index - this.#head - gap + 1;
  }

  /** The first `max` numbers. */
  first(max: number): number[] {
    const numbers: number[] = [];
    for (const { number } of this) {
      if (numbers.length >= max) break;
      numbers.push(number);
    }
    return numbers;
  }

  *[Symbol.iterator](): Iterator<Waiter> {
    let gap = 0;
    for (let index = this.#head; index < this.#waiters.length; index++) {
      const waiter = this.#waiters[index] as Waiter;
      if (this.#gaps[gap] === waiter.number) gap++;
      else yield waiter;
    }
  }

  #skipGaps(): void {
    let passed = 0;
    while (passed < this.#gaps.length && this.#waiters[this.#head]?.number === this.#gaps[passed]) {
      this.#head++;
      passed++;
    }
    if (passed > 0) this.#gaps.splice(0, passed);
  }

  #sweep(): void {
    this.#waiters = [...this];
    this.#head = 0;
    this.#gaps = [];
  }
}

/** The first index, from `from` on, with a number that is not below `number`. */
function lowerBound(waiters: readonly Waiter[], number: number, from: number): number {
  return search(from, waiters.length, (index) => (waiters[index] as Waiter).number < number);
}

function gapIndex(gaps: readonly number[], number: number): number {
  return search(0, gaps.length, (index) => (gaps[index] as number) < number);
}

/** Binary search: the first index in [low, high) for which `isBelow` is false, or high. */
function search(low: number, high: number, isBelow: (index: number) => boolean): number {
  let [from, to] = [low, high];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (isBelow(middle)) from = middle + 1;
    else to = middle;
  }
  return from;
}
