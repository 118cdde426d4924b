import { isOlder, isSettled, type Order } from '../domain/order.ts';
import type { PackageSnapshot } from '../domain/travel-package.ts';
import { singleFlight } from '../lib/cached.ts';
import type { Clock } from '../lib/clock.ts';
import type { LiveBus } from '../realtime/live-bus.ts';
import type { Store } from '../storage/store.ts';
import type { CachedPackages, PackageListener, Settling } from './engine.ts';

export interface PackageCacheOptions {
  readonly store: Pick<Store, 'package' | 'packages' | 'unreadable'>;
  readonly liveBus: LiveBus;
  readonly clock: Clock;
  /** A snapshot older than this is read again. Infinity if only this process changes the store. */
  readonly maxAgeMs: number;
}

interface Entry {
  /** Undefined if the package was removed, so that a read that began before the removal does not restore the package. */
  readonly snapshot: PackageSnapshot | undefined;
  /** When the snapshot was read or came as a live update, in ms on the monotonic clock. */
  readonly at: number;
}

interface Reading {
  readonly stored: PackageSnapshot | undefined;
  /** The cache entry after the read. It is newer than `stored` if a live update came during the read. */
  readonly entry: Entry;
}

/**
 * Caches snapshots of all packages. The live bus updates them, and an old one is read again. Listeners are told of each
 * change.
 */
export class PackageCache implements CachedPackages {
  readonly #options: PackageCacheOptions;
  readonly #entries = new Map<number, Entry>();
  /** Time of the last read of all packages. */
  #allAt: number | undefined;
  readonly #readAll = singleFlight(() => this.#readAllOnce());
  readonly #reading = new Map<number, Promise<Reading>>();
  readonly #listeners = new Set<PackageListener>();
  readonly #unsubscribe: () => void;

  constructor(options: PackageCacheOptions) {
    this.#options = options;
    this.#unsubscribe = options.liveBus.subscribe({
      package: (snapshot) => this.#set(snapshot.package.id, { snapshot, at: options.clock.monotonic() }),
      removed: (id) => this.#set(id, { snapshot: undefined, at: options.clock.monotonic() }),
    });
  }

  /** All packages, sorted by id. @throws StoreUnavailableError */
  async all(): Promise<readonly PackageSnapshot[]> {
    if (!this.#isFresh(this.#allAt)) await this.#readAll();
    return [...this.values()].sort((a, b) => a.package.id - b.package.id);
  }

  /** @throws StoreUnavailableError */
  async get(id: number): Promise<PackageSnapshot | undefined> {
    const known = this.#entries.get(id);
    if (known !== undefined && this.#isFresh(known.at)) return known.snapshot;
    if (known === undefined && this.#knowsAll) return undefined;
    return (await this.#readOnce(id)).entry.snapshot;
  }

  /**
   * The stored package, from a read that begins after this call. Concurrent calls share one read.
   * @throws StoreUnavailableError
   */
  async reread(id: number): Promise<PackageSnapshot | undefined> {
    if (this.#options.maxAgeMs === Number.POSITIVE_INFINITY) return this.get(id);
    // Let a read in progress end unused, because it may have begun before this call.
    await this.#reading.get(id)?.catch(() => {});
    return (await this.#readOnce(id)).stored;
  }

  peek(id: number): PackageSnapshot | undefined {
    return this.#entries.get(id)?.snapshot;
  }

  *values(): Iterable<PackageSnapshot> {
    for (const { snapshot } of this.#entries.values()) if (snapshot !== undefined) yield snapshot;
  }

  subscribe(listener: PackageListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#unsubscribe();
  }

  /** Whether every stored package is cached. A package that cannot be read is not. */
  get #knowsAll(): boolean {
    const { maxAgeMs, store } = this.#options;
    return (
      maxAgeMs === Number.POSITIVE_INFINITY && this.#isFresh(this.#allAt) && store.unreadable().length === 0
    );
  }

  #isFresh(at: number | undefined): boolean {
    return at !== undefined && this.#options.clock.monotonic() - at <= this.#options.maxAgeMs;
  }

  #readOnce(id: number): Promise<Reading> {
    const reading = this.#reading.get(id) ?? this.#read(id).finally(() => this.#reading.delete(id));
    this.#reading.set(id, reading);
    return reading;
  }

  async #read(id: number): Promise<Reading> {
    const at = this.#options.clock.monotonic();
    const stored = await this.#options.store.package(id);
    return { stored, entry: this.#keep(id, stored, at) };
  }

  async #readAllOnce(): Promise<void> {
    const at = this.#options.clock.monotonic();
    const stored = await this.#options.store.packages();
    for (const snapshot of stored) this.#keep(snapshot.package.id, snapshot, at);
    const ids = new Set(stored.map((snapshot) => snapshot.package.id));
    // A cached package that is not stored was removed, and the live update of its removal was lost. A package whose live
    // update came after the read began may be new, so it stays.
    for (const [id, known] of this.#entries) if (!ids.has(id) && known.at < at) this.#delete(id);
    this.#allAt = at;
  }

  /**
   * A live update during the read is newer than the read. Misses are not cached, because anybody can ask for any id.
   */
  #keep(id: number, snapshot: PackageSnapshot | undefined, at: number): Entry {
    const known = this.#entries.get(id);
    if (known !== undefined && known.at >= at) return known;
    const entry = { snapshot, at };
    if (snapshot === undefined) this.#delete(id);
    else this.#set(id, entry);
    return entry;
  }

  #set(id: number, entry: Entry): void {
    const before = this.peek(id);
    this.#entries.set(id, entry);
    this.#tell(before, entry.snapshot);
  }

  #delete(id: number): void {
    const before = this.peek(id);
    this.#entries.delete(id);
    this.#tell(before, undefined);
  }

  #tell(before: PackageSnapshot | undefined, snapshot: PackageSnapshot | undefined): void {
    if (this.#listeners.size === 0 || before === snapshot) return;
    if (snapshot === undefined) {
      for (const { removed } of this.#listeners) removed(before as PackageSnapshot);
    } else if (JSON.stringify(before) !== JSON.stringify(snapshot)) {
      for (const { changed } of this.#listeners) changed(snapshot);
    }
  }
}

interface Waiter {
  latest: Order;
  readonly since: number;
  readonly wake: () => void;
}

const rereadMs = 1_000;
/** How many early outcomes are kept. An outcome is early if the live bus delivers it before a caller waits for it. */
const earlyMax = 1_000;

/**
 * Lets callers wait for the outcome of their orders. The outcome comes over the live bus. The store is also read once a
 * second, so that a lost message only causes a delay.
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

  /**
   * Resolves with the order once it has an outcome. Resolves with its current state after the wait, when the caller hangs
   * up, or on `close`.
   */
  async wait(order: Order, { waitMs, gone }: Settling): Promise<Order> {
    if (isSettled(order) || waitMs <= 0 || gone?.aborted === true || this.#closing.signal.aborted)
      return order;
    const early = this.#early.get(order.id);
    if (early !== undefined && !isOlder(early, order)) return early;
    const over = new AbortController();
    const waiter: Waiter = { latest: order, since: this.#clock.monotonic(), wake: () => over.abort('over') };
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

  /** Answers all waiting callers with the current state of their orders. */
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
      const until = this.#clock.monotonic() - rereadMs;
      const isDue = ([, waiters]: [string, Set<Waiter>]) => [...waiters].some(({ since }) => since <= until);
      const ids = [...this.#waiters].filter(isDue).map(([id]) => id);
      const orders = ids.length === 0 ? [] : await this.#store.orders(ids).catch(() => []);
      for (const order of orders) if (isSettled(order)) this.#hear(order);
    }
    this.#isRereading = false;
  }
}
