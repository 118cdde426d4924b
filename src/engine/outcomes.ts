import { isOlder, isSettled, type Order } from '../domain/order.ts';
import type { Clock } from '../lib/clock.ts';
import type { LiveBus } from '../realtime/live-bus.ts';
import type { Store } from '../storage/store.ts';
import type { Settling } from './engine.ts';

interface Waiter {
  latest: Order;
  readonly since: number;
  readonly wake: () => void;
}

const rereadMs = 1_000;
/** Outcomes to keep that came before anybody waited for them: the live bus may be quicker than the answer. */
const earlyMax = 1_000;

/**
 * Lets callers wait for the outcome of their orders. It comes over the live bus. The store is read once a second as well,
 * so that a lost message is only a delay.
 */
export class Outcomes {
  readonly #store: Pick<Store, 'orders'>;
  readonly #clock: Clock;
  readonly #waiters = new Map<string, Set<Waiter>>();
  readonly #early = new Map<string, Order>();
  readonly #closing = new AbortController();
  readonly #unsubscribe: () => void;
  #isRereading = false;

  constructor(store: Pick<Store, 'orders'>, liveBus: LiveBus, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
    this.#unsubscribe = liveBus.subscribe({ order: (order) => this.#hear(order) });
  }

  /** Resolves with the order once it has an outcome, or as it is when the time is up, the caller hangs up or `close` is called. */
  async wait(order: Order, { waitMs, gone }: Settling): Promise<Order> {
    if (isSettled(order) || waitMs <= 0 || gone?.aborted === true || this.#closing.signal.aborted)
      return order;
    const early = this.#early.get(order.id);
    if (early !== undefined && !isOlder(early, order)) return early;
    const over = new AbortController();
    const waiter: Waiter = { latest: order, since: this.#clock.now(), wake: () => over.abort('over') };
    this.#add(order.id, waiter);
    gone?.addEventListener('abort', waiter.wake);
    try {
      await this.#clock.sleep(waitMs, over.signal);
    } finally {
      gone?.removeEventListener('abort', waiter.wake);
      this.#remove(order.id, waiter);
    }
    return waiter.latest;
  }

  /** All waiting callers get the order as it is. */
  close(): void {
    this.#closing.abort();
    this.#unsubscribe();
    for (const waiters of this.#waiters.values()) for (const waiter of waiters) waiter.wake();
  }

  #add(orderId: string, waiter: Waiter): void {
    const waiters = this.#waiters.get(orderId);
    if (waiters === undefined) this.#waiters.set(orderId, new Set([waiter]));
    else waiters.add(waiter);
    if (!this.#isRereading) void this.#keepRereading();
  }

  #remove(orderId: string, waiter: Waiter): void {
    const waiters = this.#waiters.get(orderId);
    waiters?.delete(waiter);
    if (waiters?.size === 0) this.#waiters.delete(orderId);
  }

  #hear(order: Order): void {
    const waiters = this.#waiters.get(order.id);
    if (waiters === undefined) return this.#keepEarly(order);
    for (const waiter of waiters) {
      // An older version may arrive later, for example "confirmed" after "cancelling".
      if (isOlder(order, waiter.latest)) continue;
      waiter.latest = order;
      if (isSettled(order)) waiter.wake();
    }
  }

  #keepEarly(order: Order): void {
    this.#early.delete(order.id);
    if (!isSettled(order)) return;
    this.#early.set(order.id, order);
    if (this.#early.size <= earlyMax) return;
    for (const oldest of this.#early.keys()) {
      this.#early.delete(oldest);
      return;
    }
  }

  async #keepRereading(): Promise<void> {
    this.#isRereading = true;
    while (this.#waiters.size > 0 && !this.#closing.signal.aborted) {
      await this.#clock.sleep(rereadMs, this.#closing.signal);
      const until = this.#clock.now() - rereadMs;
      const isDue = ([, waiters]: [string, Set<Waiter>]) => [...waiters].some(({ since }) => since <= until);
      const ids = [...this.#waiters].filter(isDue).map(([id]) => id);
      const orders = ids.length === 0 ? [] : await this.#store.orders(ids).catch(() => []);
      for (const order of orders) if (isSettled(order)) this.#hear(order);
    }
    this.#isRereading = false;
  }
}
