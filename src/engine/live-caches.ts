import { isOlder, isSettled, type Order } from '../domain/order.ts';
import type { PackageSnapshot } from '../domain/travel-package.ts';
import { singleFlight } from '../lib/cached.ts';
import type { Clock } from '../lib/clock.ts';
import { startTimer } from '../lib/deadline.ts';
import type { LiveBus } from '../realtime/live-bus.ts';
import { type Store, UnreadableError } from '../storage/store.ts';
import type {
  CachedPackages,
  InventoryTotals,
  PackageGroup,
  PackageListener,
  PackagesPage,
  PackagesQuery,
  Settling,
} from './engine.ts';
import { firstAbove, PackageIndex } from './package-index.ts';

/** How many packages are read at a time: they keep this process busy for a few milliseconds. */
const packagesPage = 1_000;

export interface PackageCacheOptions {
  readonly store: Pick<Store, 'package' | 'packagesPage' | 'unreadable'>;
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
  /** When live updates removed packages. Their entries stay until a read of all packages that began later. */
  readonly #removedAt = new Map<number, number>();
  readonly #index: PackageIndex;
  /** When the last read of all packages began. */
  #allAt: number | undefined;
  readonly #readAll = singleFlight(() => this.#readAllOnce());
  readonly #reading = new Map<number, Promise<Reading>>();
  readonly #listeners = new Set<PackageListener>();
  readonly #unsubscribe: () => void;

  constructor(options: PackageCacheOptions) {
    this.#options = options;
    this.#index = new PackageIndex(
      (id) => this.peek(id),
      () => options.clock.sleep(0),
    );
    this.#unsubscribe = options.liveBus.subscribe({
      package: (snapshot) => this.#set(snapshot.package.id, { snapshot, at: options.clock.monotonic() }),
      removed: (id) => {
        const at = options.clock.monotonic();
        this.#removedAt.set(id, at);
        this.#set(id, { snapshot: undefined, at });
      },
    });
  }

  /** Reads all packages for the first time. @throws StoreUnavailableError */
  async start(): Promise<void> {
    if (this.#allAt === undefined) await this.#readAll();
  }

  /** @throws StoreUnavailableError */
  async page(query: PackagesQuery): Promise<PackagesPage> {
    await this.#refreshAll();
    const { ids, ...page } = await this.#index.find(query);
    await this.refresh(ids);
    return { items: ids.flatMap((id) => this.peek(id) ?? []), ...page };
  }

  /** Reads those of these packages again that are not fresh. A package that cannot be read stays as it was. */
  async refresh(ids: readonly number[]): Promise<void> {
    const old = ids.filter((id) => !this.#isFresh(this.#entries.get(id)?.at) && !this.#isAbsent(id));
    const read = (id: number) =>
      this.#readOnce(id).catch((error: unknown) => {
        if (!(error instanceof UnreadableError)) throw error;
      });
    if (old.length > 0) await Promise.all(old.map(read));
  }

  /** @throws StoreUnavailableError */
  async get(id: number): Promise<PackageSnapshot | undefined> {
    const known = this.#entries.get(id);
    if (known !== undefined && this.#isFresh(known.at)) return known.snapshot;
    if (this.#isAbsent(id)) return undefined;
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

  ids(group: PackageGroup): readonly number[] {
    return this.#index.ids(group);
  }

  totals(group: 'current' | 'archived'): InventoryTotals {
    return this.#index.totals(group);
  }

  busy(): readonly PackageSnapshot[] {
    return this.#index.busy();
  }

  subscribe(listener: PackageListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#unsubscribe();
  }

  /** Whether it is certain without a read that there is no such package: every stored package is cached. */
  #isAbsent(id: number): boolean {
    const { maxAgeMs, store } = this.#options;
    const knowsAll = maxAgeMs === Number.POSITIVE_INFINITY && this.#isFresh(this.#allAt);
    // A package that cannot be read is not cached.
    return !this.#entries.has(id) && knowsAll && store.unreadable().length === 0;
  }

  /**
   * Reads all packages again if the last read is too old. Many packages take longer to read, so they are read less
   * often, and nobody waits for it.
   */
  async #refreshAll(): Promise<void> {
    const pages = Math.ceil(this.#entries.size / packagesPage);
    const { clock, maxAgeMs } = this.#options;
    if (this.#allAt !== undefined && clock.monotonic() - this.#allAt <= maxAgeMs * Math.max(pages, 1)) return;
    const reading = this.#readAll();
    if (this.#allAt === undefined || pages <= 1) await reading;
    // The shown packages are read again anyway, and that reports the error of a store that does not answer.
    else reading.catch(() => {});
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
    const { clock, store } = this.#options;
    const beganAt = clock.monotonic();
    let cursor: string | undefined;
    do {
      const at = clock.monotonic();
      const { items, next } = await store.packagesPage(cursor, packagesPage);
      for (const snapshot of items) this.#keep(snapshot.package.id, snapshot, at);
      this.#forgetRemoved(cursor, next, items, at);
      cursor = next;
    } while (cursor !== undefined);
    for (const [id, at] of this.#removedAt) {
      if (at >= beganAt) continue;
      this.#removedAt.delete(id);
      if (this.peek(id) === undefined) this.#entries.delete(id);
    }
    this.#allAt = beganAt;
  }

  /**
   * A cached package that is not in its page was removed, and the live update of its removal was lost. A package whose
   * live update came after the read began may be new, so it stays.
   */
  #forgetRemoved(
    cursor: string | undefined,
    next: string | undefined,
    items: readonly PackageSnapshot[],
    at: number,
  ): void {
    const stored = new Set(items.map((snapshot) => snapshot.package.id));
    const known = this.#index.ids('all');
    const from = firstAbove(known, Number(cursor ?? 0));
    const to = next === undefined ? known.length : firstAbove(known, Number(next));
    for (const id of known.slice(from, to)) {
      if (!stored.has(id) && (this.#entries.get(id) as Entry).at < at) this.#delete(id);
    }
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
    this.#index.change(id, before, entry.snapshot);
    this.#tell(before, entry.snapshot);
  }

  #delete(id: number): void {
    const before = this.peek(id);
    this.#entries.delete(id);
    this.#index.change(id, before, undefined);
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
   * Resolves with the order once it has an outcome or waits for its buyer to pay. Resolves with its current state after the
   * wait, when the caller hangs up, or on `close`.
   */
  async wait(order: Order, { waitMs, gone }: Settling): Promise<Order> {
    if (isAnswer(order) || waitMs <= 0 || gone?.aborted === true || this.#closing.signal.aborted)
      return order;
    const early = this.#early.get(order.id);
    if (early !== undefined && !isOlder(early, order)) return early;
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const wake = () => resolve();
    const waiter: Waiter = { latest: order, since: this.#clock.monotonic(), wake };
    this.#add(order.id, waiter);
    gone?.addEventListener('abort', wake);
    const clearTimer = startTimer(waitMs, this.#clock, wake);
    await over;
    clearTimer();
    gone?.removeEventListener('abort', wake);
    this.#remove(order.id, waiter);
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
      if (isAnswer(order)) waiter.wake();
    }
  }

  #keepEarly(order: Order): void {
    this.#early.delete(order.id);
    if (!isAnswer(order)) return;
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
      for (const order of orders) if (isAnswer(order)) this.#hear(order);
    }
    this.#isRereading = false;
  }
}

/** Whether a caller need not wait any longer: the order has an outcome, or its buyer has to pay. */
function isAnswer(order: Order): boolean {
  return isSettled(order) || order.status === 'payable';
}
