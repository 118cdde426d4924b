import type { Change } from './change.ts';
import type { Answer, Reply } from './messages.ts';
import type { Order } from './order.ts';
import type { PackageState } from './package-state.ts';
import type { Inventory, TravelPackage } from './travel-package.ts';

/** What is to be done once the change is known to be applied. */
export type Effect =
  | { readonly kind: 'answer'; readonly caller: Reply; readonly answer: Answer }
  /** Books a held order at the suppliers. */
  | { readonly kind: 'book'; readonly order: Order }
  /** Cancels what a compensating or cancelling order owes. */
  | { readonly kind: 'compensate'; readonly order: Order }
  /** Has the order's saga begin anew, if it has one. */
  | { readonly kind: 'retry'; readonly order: Order }
  /** There is more to do than one commit should take. */
  | { readonly kind: 'continue' };

/**
 * A batch in the making: the committed state with the changes of this batch laid over it. The state itself is
 * not touched, so a step that is not committed leaves no trace.
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
  /** How far the committed line has been served by this batch. */
  readonly #committedQueue: Iterator<{ orderId: string }>;
  /** Orders that joined the line in this batch, by number. */
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

  /** Adds to the inventory; `{ held: -1, remaining: 1 }` is a unit that returns. */
  move(delta: Partial<Inventory>): void {
    const next: Record<keyof Inventory, number> = { ...this.#inventory };
    for (const [name, by] of Object.entries(delta) as [keyof Inventory, number][]) next[name] += by;
    this.#inventory = next;
  }

  /** The order as it stands in this batch; undefined unless it is unfinished or was touched. */
  order(id: string): Order | undefined {
    return (
      this.#inserted.get(id) ?? this.#updated.get(id) ?? this.#erased.get(id) ?? this.state.orders.get(id)
    );
  }

  /** An order that this batch stored under a key. */
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

  /** Whether this batch has stored or changed it: then its email stays until it is stored. */
  isTouched(id: string): boolean {
    return this.#inserted.has(id) || this.#updated.has(id);
  }

  /** An order that has ended, with another email. */
  erase(order: Order): void {
    this.#erased.set(order.id, order);
  }

  answer(caller: Reply, answer: Answer): void {
    this.effects.push({ kind: 'answer', caller, answer });
  }

  /** Takes the next order out of the line, in the order of numbers; undefined when nobody waits. */
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

  /** What there is to commit; undefined when nothing changed. */
  change(): Change | undefined {
    const isAmended = this.#package !== this.state.package;
    const touched = this.#inserted.size + this.#updated.size + this.#erased.size;
    if (touched === 0 && !isAmended) return undefined;
    return {
      inventory: this.#inventory,
      ...(isAmended ? { package: this.#package } : {}),
      inserted: [...this.#inserted.values()],
      updated: [...this.#updated.values()],
      ...(this.#erased.size === 0 ? {} : { erased: [...this.#erased.values()] }),
    };
  }

  /** The answers carry orders as they stood when they were given: brings them up to the end of the batch. */
  settledEffects(): Effect[] {
    return this.effects.map((effect) => {
      if (effect.kind !== 'answer' || !('order' in effect.answer)) return effect;
      const { order } = effect.answer;
      const latest = order && this.order(order.id);
      return latest === undefined ? effect : { ...effect, answer: { ...effect.answer, order: latest } };
    });
  }
}
