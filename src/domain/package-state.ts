import type { Answer, Change, Effect, Ownership, Reply } from './messages.ts';
import { type Notice, type NoticeChannel, noticeEventsOf } from './notices.ts';
import type { NumberRuns } from './number-runs.ts';
import { type Order, sagaOf, sagaStatuses } from './order.ts';
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

  /** All unfinished orders by id: queued, held, payable, compensating or cancelling. */
  get orders(): ReadonlyMap<string, Order> {
    return this.#orders;
  }

  /** The queued orders, by number. */
  get queue(): WaitingQueue {
    return this.#queue;
  }

  /** Applies a change that the store has already applied. */
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
      case 'payable':
      case 'compensating':
      case 'cancelling':
        this.#orders.set(order.id, order);
        break;
      default:
        this.#orders.delete(order.id);
    }
  }
}

/**
 * The changes of a batch on top of the committed state. The state itself is not modified, so a failed commit needs no
 * undo.
 */
export class Draft {
  readonly state: PackageState;
  readonly effects: Effect[] = [];
  /** The orders whose sagas start, or are retried, after the commit. By id. */
  readonly #sagas = new Map<string, 'start' | 'retry'>();
  readonly #inventory: Record<keyof Inventory, number>;
  #package: TravelPackage;
  readonly #inserted = new Map<string, Order>();
  readonly #updated = new Map<string, Order>();
  readonly #erased = new Map<string, Order>();
  readonly #notices: Notice[] = [];
  readonly #byKey = new Map<string, Order>();
  /** The part of the committed queue that this batch has not served yet. */
  readonly #committedQueue: Iterator<{ orderId: string }>;
  /** Ids of orders that joined the queue in this batch, sorted by number. */
  readonly #joined: string[] = [];

  constructor(state: PackageState) {
    this.state = state;
    this.#inventory = { ...state.inventory };
    this.#package = state.package;
    this.#committedQueue = state.queue[Symbol.iterator]();
  }

  get inventory(): Inventory {
    return this.#inventory;
  }

  get package(): TravelPackage {
    return this.#package;
  }

  set package(next: TravelPackage) {
    this.#package = next;
  }

  /** Adds to the counts of the inventory: `{ held: -1, remaining: 1 }` releases a unit. */
  move(delta: Partial<Inventory>): void {
    for (const name of Object.keys(delta) as (keyof Inventory)[]) this.#inventory[name] += delta[name] ?? 0;
  }

  /** The order with the changes of this batch. Undefined unless the order is unfinished or the batch has changed it. */
  order(id: string): Order | undefined {
    return (
      this.#inserted.get(id) ?? this.#updated.get(id) ?? this.#erased.get(id) ?? this.state.orders.get(id)
    );
  }

  /** The order that this batch inserts with this key. */
  orderByKey(key: string): Order | undefined {
    const inserted = this.#byKey.get(key);
    return inserted && this.order(inserted.id);
  }

  insertedWithEmail(email: string): number {
    let count = 0;
    for (const order of this.#inserted.values()) if (order.email === email) count++;
    return count;
  }

  insert(order: Order): void {
    this.#inserted.set(order.id, order);
    if (order.key !== undefined) this.#byKey.set(order.key, order);
    if (order.status === 'queued') this.#joined.push(order.id);
    this.move({ nextNumber: 1 });
  }

  update(order: Order): void {
    if (this.#inserted.has(order.id)) this.#inserted.set(order.id, order);
    else this.#updated.set(order.id, order);
  }

  /** Updates the order, and owes notice of what its new status means. */
  updateWithNotice(order: Order, channels: readonly NoticeChannel[]): void {
    this.update(order);
    for (const event of noticeEventsOf(order)) {
      for (const channel of channels) this.#notices.push({ channel, orderId: order.id, event });
    }
  }

  /** Whether this batch inserts or updates the order. */
  isTouched(id: string): boolean {
    return this.#inserted.has(id) || this.#updated.has(id);
  }

  /** Stores an ended order whose email was replaced. */
  erase(order: Order): void {
    this.#erased.set(order.id, order);
  }

  answer(caller: Reply, answer: Answer): void {
    this.effects.push({ kind: 'answer', caller, answer });
  }

  /** The next order of the queue, by number; undefined when nobody waits. */
  nextQueued(): Order | undefined {
    for (let next = this.#committedQueue.next(); !next.done; next = this.#committedQueue.next()) {
      const order = this.order(next.value.orderId);
      if (order?.status === 'queued') return order;
    }
    for (let id = this.#joined.shift(); id !== undefined; id = this.#joined.shift()) {
      const order = this.order(id);
      if (order?.status === 'queued') return order;
    }
    return undefined;
  }

  /** The change to commit; undefined when nothing has changed. */
  change(): Change | undefined {
    const isUpdated = this.#package !== this.state.package;
    const touched = this.#inserted.size + this.#updated.size + this.#erased.size;
    if (touched === 0 && !isUpdated) return undefined;
    return {
      inventory: this.#inventory,
      ...(isUpdated ? { package: this.#package } : {}),
      inserted: [...this.#inserted.values()],
      updated: [...this.#updated.values()],
      ...(this.#erased.size === 0 ? {} : { erased: [...this.#erased.values()] }),
      ...(this.#notices.length === 0 ? {} : { notices: this.#notices }),
    };
  }

  /** Starts the saga that the order's final status in this batch calls for. */
  startSaga(id: string): void {
    this.#sagas.set(id, 'start');
  }

  /** Has the running saga of the order retried, unless the batch starts another one. */
  retrySaga(id: string): void {
    if (!this.#sagas.has(id)) this.#sagas.set(id, 'retry');
  }

  /**
   * The effects, with each order as it is at the end of the batch. At most one concerns the saga of an order. A refusal keeps
   * the order that it refused: a cancel in the same batch that came later may have been accepted.
   */
  settledEffects(): Effect[] {
    const sagas = [...this.#sagas].flatMap(([id, how]) => this.#sagaEffect(id, how));
    return [...sagas, ...this.#settledAnswers()];
  }

  #sagaEffect(id: string, how: 'start' | 'retry'): Effect[] {
    const order = this.order(id);
    if (order === undefined || !sagaStatuses.includes(order.status)) return [];
    if (how === 'retry') return [{ kind: 'retry', order }];
    return [{ kind: sagaOf(order), order }];
  }

  #settledAnswers(): Effect[] {
    return this.effects.map((effect) => {
      if (effect.kind !== 'answer' || effect.answer.kind !== 'accepted') return effect;
      const latest = this.order(effect.answer.order.id);
      return latest === undefined ? effect : { ...effect, answer: { ...effect.answer, order: latest } };
    });
  }
}

interface Waiter {
  readonly number: number;
  readonly orderId: string;
}

/**
 * The queue of a package, sorted by order number. New numbers are always greater, so the queue is an array with a head.
 * An order that leaves from the middle stays as a gap until there are enough gaps for a sweep. Adding and removing cost
 * O(1) amortized, finding a position costs O(log n).
 */
export class WaitingQueue implements Iterable<Waiter> {
  #waiters: Waiter[] = [];
  #head = 0;
  /** The gaps: numbers of orders that left from behind the head, ascending. */
  #gaps: number[] = [];

  get size(): number {
    return this.#waiters.length - this.#head - this.#gaps.length;
  }

  /** Adds an order at the end. @throws RangeError unless its number is greater than all numbers before. */
  add(number: number, orderId: string): void {
    const last = this.#waiters.at(-1);
    if (last !== undefined && last.number >= number) throw new RangeError('numbers in the queue only grow');
    this.#waiters.push({ number, orderId });
  }

  /** Removes an order. Does nothing if its number is not in the queue. */
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

  /** The position of a number, from 1; undefined if the number is not in the queue. */
  position(number: number): number | undefined {
    const index = lowerBound(this.#waiters, number, this.#head);
    const gap = gapIndex(this.#gaps, number);
    if (this.#waiters[index]?.number !== number || this.#gaps[gap] === number) return undefined;
    return index - this.#head - gap + 1;
  }

  /** The first numbers of the queue, at most `max`. */
  first(max: number): number[] {
    const numbers: number[] = [];
    for (const { number } of this) {
      if (numbers.length >= max) break;
      numbers.push(number);
    }
    return numbers;
  }

  /** The numbers of the queue. Costs O(log n) for each run. */
  runs(): NumberRuns {
    const runs: number[] = [];
    let gap = 0;
    for (let index = this.#head; index < this.#waiters.length; ) {
      const first = this.#numberAt(index);
      if (this.#gaps[gap] === first) {
        gap++;
        index++;
        continue;
      }
      const length = Math.min(this.#runAt(index), (this.#gaps[gap] ?? Number.POSITIVE_INFINITY) - first);
      runs.push(first, first + length - 1);
      index += length;
    }
    return runs;
  }

  *[Symbol.iterator](): Iterator<Waiter> {
    let gap = 0;
    for (let index = this.#head; index < this.#waiters.length; index++) {
      const waiter = this.#waiters[index] as Waiter;
      if (this.#gaps[gap] === waiter.number) gap++;
      else yield waiter;
    }
  }

  /** How many numbers from this index on follow each other, including those that have left. */
  #runAt(index: number): number {
    const first = this.#numberAt(index);
    // Numbers ascend, so the run ends where a number is ahead of its index.
    const isInRun = (length: number) => this.#numberAt(index + length) === first + length;
    const rest = this.#waiters.length - index;
    let known = 1;
    while (2 * known < rest && isInRun(2 * known)) known *= 2;
    return search(known, Math.min(2 * known, rest), isInRun);
  }

  #numberAt(index: number): number {
    return (this.#waiters[index] as Waiter).number;
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

/** The first index at or after `from` whose number is not below `number`. */
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
