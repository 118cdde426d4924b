import type { OrderAnswer } from '../domain/messages.ts';
import type { Order } from '../domain/order.ts';
import type { PackageSnapshot } from '../domain/travel-package.ts';

export interface PurchaseRequest {
  readonly packageId: number;
  /** The buyer's email, trimmed and in lower case. */
  readonly email: string;
  /** The Idempotency-Key. The same key with the same body returns the same order (rule Q7). */
  readonly key?: string;
  /** Aborts when the caller hangs up. A queued order without a key is then withdrawn. */
  readonly gone?: AbortSignal;
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

/**
 * The packages in this instance's cache. These methods never read the store. After a lost live update a package stays
 * outdated until the store is read the next time.
 */
export interface CachedPackages {
  /** The cached snapshot, however old; undefined if no such package is known. */
  peek(id: number): PackageSnapshot | undefined;
  /** All cached snapshots, however old, in any order. */
  values(): Iterable<PackageSnapshot>;
  /** Returns a function that removes the listener. */
  subscribe(listener: PackageListener): () => void;
}

/**
 * The port through which the API and the pages buy: the actor, lock or queue engine. Operating errors are returned as
 * `refused` with a code of the error catalogue. A thrown error is a bug, unless documented.
 */
export interface BookingEngine {
  purchase(request: PurchaseRequest): Promise<OrderAnswer>;
  /** Cancels an order. The caller must have proved knowledge of its id and email. Repeating a cancel is harmless. */
  cancel(order: Order): Promise<OrderAnswer>;
  /** Resolves with the order once it has an outcome, or after the wait with its current state. */
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
  /** All packages by id, at most 250 ms old. @throws StoreUnavailableError */
  packages(): Promise<readonly PackageSnapshot[]>;
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
