import type { ErrorCode } from '../domain/errors.ts';
import type { Order } from '../domain/order.ts';
import type { PackageSnapshot } from '../domain/travel-package.ts';

export interface PurchaseRequest {
  readonly packageId: number;
  /** Trimmed and in lower case. */
  readonly email: string;
  /** Idempotency-Key: the same one with the same body returns the same order (rule Q7). */
  readonly key?: string;
  /** Aborts when the caller has hung up: without a key its queued order is withdrawn. */
  readonly gone?: AbortSignal;
}

/** `order` is there wherever the error is about an order that the caller may see. */
export interface Refused {
  readonly kind: 'refused';
  readonly code: ErrorCode;
  readonly order?: Order;
}

export interface Accepted {
  readonly kind: 'accepted';
  /** Stored: it is found by its id after any crash (rule Q6). It may have ended already. */
  readonly order: Order;
}

export interface Settling {
  /** How long to wait for the outcome. */
  readonly waitMs: number;
  /** Stops waiting: the caller has hung up. */
  readonly gone?: AbortSignal;
}

/**
 * What the API and the pages buy from: the actor engine, or one of the two plans. Operating errors come as
 * `refused` with a code of the catalogue; what is thrown is a bug.
 */
export interface BookingEngine {
  purchase(request: PurchaseRequest): Promise<Accepted | Refused>;
  /** The caller has proved that it knows id and email. Repeating it is harmless. */
  cancel(order: Order): Promise<Accepted | Refused>;
  /** Resolves with the order once it has an outcome, or as it stands when the time is up. */
  outcome(order: Order, settling: Settling): Promise<Order>;
  /** @throws StoreUnavailableError */
  order(id: string): Promise<Order | undefined>;
  /** Those of these ids that are there, in any order. @throws StoreUnavailableError */
  orders(ids: readonly string[]): Promise<Order[]>;
  /** The orders of a package that came with one of these Idempotency-Keys. @throws StoreUnavailableError */
  ordersByKey(packageId: number, keys: readonly string[]): Promise<Order[]>;
  /** How many are before this order in its line, plus one; undefined unless it is queued and its line is known here. */
  queuePosition(order: Order): number | undefined;
  /** All packages by id, at most 250 ms old. @throws StoreUnavailableError */
  packages(): Promise<readonly PackageSnapshot[]>;
  package(id: number): Promise<PackageSnapshot | undefined>;
  /** Whether suppliers answer; while not, the line waits. */
  readonly suppliersAvailable: boolean;
  /** What is missing to take orders, in words; empty when ready. */
  readinessProblems(): Promise<string[]>;
  /** Finishes what is being committed, answers who waits, and stops. */
  drain(): Promise<void>;
}
