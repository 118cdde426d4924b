import type { Answer, Change, Reply } from './messages.ts';
import type { Order } from './order.ts';
import type { PackageState } from './package-state.ts';
import type { Inventory, TravelPackage } from './travel-package.ts';

/** Something to do once the change is known to be applied. */
export type Effect =
  | { readonly kind: 'answer'; readonly caller: Reply; readonly answer: Answer }
  /** Books a held order at the suppliers. */
  | { readonly kind: 'book'; readonly order: Order }
  /** Cancels the reservations of a compensating or cancelling order. */
  | { readonly kind: 'compensate'; readonly order: Order }
  /** Restarts the order's saga. */
  | { readonly kind: 'retry'; readonly order: Order }
  /** More work is left than one commit should take: a `tick` follows. */
  | { readonly kind: 'continue' };

/**
 * The changes of a batch on top of the committed state. The state itself is not touched, so nothing has to be undone
 * when the commit fails.
 */
export class Draft {
  readonly state: PackageState;
  readonly effects: Effect[] = [];
  #inventory: Inventory;
  #package: TravelPackage;
  readonly #inserted = new Map<string, Order>();
  readonly #updated = new Map<string, Order>();
  readonly #erased = new Map<string, Order>();
  readonly #byKey = new Map<string, Order>();
  /** The rest of the committed queue that this batch has not served yet. */
  readonly #committedQueue: Iterator<{ orderId: string }>;
  /** Orders that joined the queue in this batch, by number. */
  readonly #joined: string[] = [];

  constructor(state: PackageState) {
    this.state = state;
    this.#inventory = state.inventory;
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
    const next: Record<keyof Inventory, number> = { ...this.#inventory };
    for (const [name, by] of Object.entries(delta) as [keyof Inventory, number][]) next[name] += by;
    this.#inventory = next;
  }

  /** The order with the changes of this batch; undefined unless it is unfinished or was changed by the batch. */
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

  /** Whether this batch inserts or updates the order. */
  isTouched(id: string): boolean {
    return this.#inserted.has(id) || this.#updated.has(id);
  }

  /** Stores an order that has ended with another email. */
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
    };
  }

  /** The effects, with each order in an answer as it is at the end of the batch. */
  settledEffects(): Effect[] {
    return this.effects.map((effect) => {
      if (effect.kind !== 'answer' || !('order' in effect.answer)) return effect;
      const { order } = effect.answer;
      const latest = order && this.order(order.id);
      return latest === undefined ? effect : { ...effect, answer: { ...effect.answer, order: latest } };
    });
  }
}
