import type { Erasure, OrderAnswer, PackageUpdate, Refused } from '../domain/messages.ts';
import type { Order } from '../domain/order.ts';
import type { TravelPackage } from '../domain/travel-package.ts';
import type { Json } from '../lib/json.ts';
import type { BookingEngine } from './engine.ts';

/** The result of an operator's request: a value, or an error of the catalogue. */
export type Result<Value> = { readonly kind: 'done'; readonly value: Value } | Refused;

/** A package that this instance owns. */
export interface OwnedPackage {
  readonly packageId: number;
  readonly activity: Activity;
}

/** The current work of an engine. */
export interface EngineLoad {
  readonly packages: readonly OwnedPackage[];
  /** Sagas that have not ended. */
  readonly sagas: number;
  readonly isDraining: boolean;
}

/** A request of an operator that one instance passes to another. */
export type PeerRequest = { readonly kind: 'status' } | { readonly kind: 'drain' };

export interface PeerHandler {
  /** The status of this instance. */
  status(): Promise<Json>;
  /** Begins to drain this instance, as SIGTERM does. */
  drain(): void;
}

/** Requests between instances. Absent for a single instance. */
export interface Peers {
  /** The instances that announce themselves now, including this one, sorted. */
  members(): readonly string[];
  /** Whether other instances can be reached. While false, `members` returns the last known members. */
  readonly available: boolean;
  /** The status of an instance; undefined if it does not answer in time. */
  status(instance: string, timeoutMs: number): Promise<Json | undefined>;
  /** Makes an instance drain. False if it could not be reached. */
  drain(instance: string): Promise<boolean>;
  /** Sets the handler that answers the requests of other instances from now on. */
  serve(handler: PeerHandler): void;
}

/**
 * The port for operators. Only the admin service calls this port, and it logs each change. Operating errors are
 * returned as `refused`. A thrown error is a bug.
 */
export interface OperatedEngine extends BookingEngine {
  updatePackage(packageId: number, change: PackageUpdate): Promise<Result<TravelPackage>>;
  /**
   * Tries the order's next step at once. Refused with `not_retryable` if the order has ended; its owner then looks at once
   * for notices that the package owes.
   */
  retry(order: Order): Promise<OrderAnswer>;
  /**
   * Replaces an email in at most a thousand orders of one package. Repeating the call is harmless. `left` is the number
   * of these orders that keep the email because they have not ended.
   */
  erase(
    packageId: number,
    email: string,
    erasures: readonly Erasure[],
  ): Promise<Result<{ readonly left: number }>>;
  /** Tells the engine that a package has been added to the store. */
  added(travelPackage: TravelPackage): void;
  /** Tells the engine that a package has been removed from the store. */
  removed(packageId: number): void;
  load(): EngineLoad;
  readonly peers?: Peers;
}

/** Activity of a package over the last minute, from its owner's memory. Arrays are oldest first. */
export interface Activity {
  /** The length of the time that each array element covers. */
  readonly bucketMs: number;
  /** When the last bucket ended, as Unix time in ms by the owner's clock. */
  readonly endedAt: number;
  /** Orders stored, per second. */
  readonly purchasesPerS: readonly number[];
  /** Messages per commit, on average; 0 if there was no commit. */
  readonly batchSize: readonly number[];
  /** Duration of a commit, on average, in ms; 0 if there was no commit. */
  readonly commitMs: readonly number[];
  /** The averages over the last ten seconds. */
  readonly recent: {
    readonly purchasesPerS: number;
    readonly batchSize: number;
    readonly commitMs: number;
  };
  /** The number of messages that now wait for their commit. */
  readonly mailbox: number;
}
