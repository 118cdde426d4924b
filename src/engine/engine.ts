import type { OrderAnswer } from '../domain/messages.ts';
import type { Order } from '../domain/order.ts';
import type { Inventory, PackageSnapshot } from '../domain/travel-package.ts';

export interface PurchaseRequest {
  readonly packageId: number;
  /** The buyer's email, trimmed and in lower case. */
  readonly email: string;
  /** The Idempotency-Key. The same key with the same body returns the same order (rule Q7). */
  readonly key?: string;
  /** The code of the buyer's language, such as `de`. Absent for English. */
  readonly language?: string;
  /**
   * Returns the signal that aborts when the caller hangs up. Call it only if somebody listens, because creating the
   * signal is slow. A queued order without a key is withdrawn when its caller hangs up.
   */
  readonly callerSignal?: () => AbortSignal;
}

export interface Settling {
  /** The longest wait for the outcome. */
  readonly waitMs: number;
  /** Aborts when the caller hangs up, which ends the wait. */
  readonly gone?: AbortSignal;
}

/** Is told what the cache of packages learns, from the live bus or from a read. Must not throw. */
export interface PackageListener {
  /** A package is new or has changed. */
  readonly changed: (snapshot: PackageSnapshot) => void;
  /** A package was removed from the store. `last` is its last known state. */
  readonly removed: (last: PackageSnapshot) => void;
}

/** `listed`: in customers' lists. `current`: not archived. */
export type PackageGroup = 'all' | 'listed' | 'current' | 'archived';

/** A page of packages to read, by id. */
export interface PackagesQuery {
  readonly group: PackageGroup;
  /** Only packages whose flight contains this text, in upper or lower case. */
  readonly flight?: string | undefined;
  /** Only packages of this night, an ISO date. */
  readonly stay?: string | undefined;
  /** Where the page begins: default at the first package. */
  readonly from?: PageStart | undefined;
  readonly limit: number;
}

/**
 * `above`: the first package with a greater id. `index`: the package at this index, or the last page that begins at a
 * multiple of the limit. `id`: like `index`, for the page with this package; the first page if there is none.
 */
export type PageStart = { readonly above: number } | { readonly index: number } | { readonly id: number };

export interface PackagesPage {
  readonly items: readonly PackageSnapshot[];
  /** The index of the first item among all packages that match. */
  readonly index: number;
  /** How many packages match. */
  readonly total: number;
  /** The id to continue above; absent on the last page. */
  readonly next?: number;
}

/** Sums over packages. */
export type InventoryTotals = Readonly<Record<keyof Omit<Inventory, 'nextNumber'> | 'quota', number>>;

/**
 * The packages in this instance's cache. Only `refresh` reads the store. After a lost live update a package stays
 * outdated until the store is read the next time.
 */
export interface CachedPackages {
  /** The cached snapshot, however old; undefined if no such package is known. */
  peek(id: number): PackageSnapshot | undefined;
  /** The sorted ids of the known packages of a group. */
  ids(group: PackageGroup): readonly number[];
  totals(group: 'current' | 'archived'): InventoryTotals;
  /** The packages with orders in the queue, being booked or being cancelled, in any order. */
  busy(): readonly PackageSnapshot[];
  /** Reads those of these packages again that are not fresh. @throws StoreUnavailableError */
  refresh(ids: readonly number[]): Promise<void>;
  /** Returns a function that removes the listener. */
  subscribe(listener: PackageListener): () => void;
}

/**
 * How long an order will probably wait until its outcome: until it gets a unit, or is rejected. Both are whole seconds,
 * rounded to steps that people use. A sell-out ends the wait earlier.
 */
export interface EstimatedWait {
  readonly minSeconds: number;
  readonly maxSeconds: number;
}

/**
 * The port through which the API and the pages buy: the actor, lock or queue engine. Operating errors are returned as
 * `refused` with a code of the error catalogue. A thrown error is a bug, unless documented.
 */
export interface BookingEngine {
  purchase(request: PurchaseRequest): Promise<OrderAnswer>;
  /** Cancels an order. The caller must have proved knowledge of its id and email. Repeating a cancel is harmless. */
  cancel(order: Order): Promise<OrderAnswer>;
  /** Resolves with the order once it has an outcome or is payable, or after the wait with its current state. */
  outcome(order: Order, settling: Settling): Promise<Order>;
  /** @throws StoreUnavailableError */
  order(id: string): Promise<Order | undefined>;
  /** The orders with these ids, in any sequence. Unknown ids are left out. @throws StoreUnavailableError */
  orders(ids: readonly string[]): Promise<Order[]>;
  /** The orders of a package whose purchases had one of these Idempotency-Keys. @throws StoreUnavailableError */
  ordersByKey(packageId: number, keys: readonly string[]): Promise<Order[]>;
  /**
   * The position in the queue, from 1; undefined if the order is not queued or this instance does not know the queue.
   */
  queuePosition(order: Order): number | undefined;
  /**
   * The estimated wait at a position of a package's queue, from 1, by the queue's own pace of the last minutes; undefined
   * while that is not known: too few orders have left the queue, it has stopped, the sale is paused, or the suppliers do
   * not answer.
   */
  estimatedWait(packageId: number, position: number): EstimatedWait | undefined;
  /**
   * A page of packages by id, each at most 250 ms old. Of more than 1,000 packages, changes by other instances that the
   * live bus has lost may be missing from the lists for longer: 250 ms for every 1,000 packages.
   * @throws StoreUnavailableError
   */
  packages(query: PackagesQuery): Promise<PackagesPage>;
  package(id: number): Promise<PackageSnapshot | undefined>;
  /** The cache behind `packages` and `package`. */
  readonly cachedPackages: CachedPackages;
  /** Whether the suppliers answer for a package. While they do not, its queued orders wait. */
  suppliersAvailable(packageId: number): boolean;
  /** False while most of the packages that called a supplier recently get no answers. */
  readonly suppliersMostlyAvailable: boolean;
  /** The reasons why no orders can be taken, as text; empty when ready. */
  readinessProblems(): Promise<string[]>;
  /** Finishes the commits in progress, answers waiting callers, and stops. */
  drain(): Promise<void>;
}
