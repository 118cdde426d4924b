import type { Erasure, PackageUpdate } from '../domain/messages.ts';
import type { Order } from '../domain/order.ts';
import type { TravelPackage } from '../domain/travel-package.ts';
import type { Json } from '../lib/json.ts';
import type { Accepted, BookingEngine, Refused } from './engine.ts';

export interface PackageUpdated {
  readonly kind: 'updated';
  readonly package: TravelPackage;
}

export interface EmailErased {
  readonly kind: 'erased';
  /** Orders that have not ended, and keep the email until they have. */
  readonly left: number;
}

/** A package that this instance acts for. */
export interface OwnedPackage {
  readonly packageId: number;
  readonly activity: Activity;
}

/** What an engine has to do at this moment. */
export interface EngineLoad {
  readonly packages: readonly OwnedPackage[];
  /** Orders being booked or cancelled at the suppliers, those that wait for their turn included. */
  readonly sagas: number;
  readonly isDraining: boolean;
}

/** What one instance asks another for an operator's sake. */
export type PeerRequest = { readonly kind: 'status' } | { readonly kind: 'drain' };

export interface PeerHandler {
  /** What this instance says of itself. */
  status(): Promise<Json>;
  /** Begins to leave, as on SIGTERM. */
  drain(): void;
}

/** The other instances. Absent where they do not speak to each other. */
export interface Peers {
  /** Those that announce themselves now, this one among them, sorted. */
  members(): readonly string[];
  /** Whether they can be seen now; while not, the members are those of before. */
  readonly available: boolean;
  /** What it says of itself; undefined when it says nothing in time. */
  status(instance: string, timeoutMs: number): Promise<Json | undefined>;
  /** Has it leave. False when it could not be told. */
  drain(instance: string): Promise<boolean>;
  /** Answers the others from here on. */
  serve(handler: PeerHandler): void;
}

/**
 * What operators do with an engine: the actor engine, or one of the two plans. Called by the operations alone, which
 * log each change. Operating errors come as `refused`; what is thrown is a bug.
 */
export interface OperatedEngine extends BookingEngine {
  updatePackage(packageId: number, change: PackageUpdate): Promise<PackageUpdated | Refused>;
  /** Has what the order waits for tried at once. `not_retryable` once it has ended. */
  retry(order: Order): Promise<Accepted | Refused>;
  /** Replaces an email in orders of one package that were bought with it, at most a thousand. Repeating it is harmless. */
  erase(packageId: number, email: string, erasures: readonly Erasure[]): Promise<EmailErased | Refused>;
  /** A package has been added to the store. */
  added(travelPackage: TravelPackage): void;
  /** A package has been removed from the store. */
  removed(packageId: number): void;
  load(): EngineLoad;
  readonly peers?: Peers;
}

/** How busy the owner of a package was with it, over the last minute, from its memory. Arrays are oldest first. */
export interface Activity {
  /** How long each bucket of the series is. */
  readonly bucketMs: number;
  /** When the last bucket ended, in ms since the epoch by the owner's clock. */
  readonly endedAt: number;
  /** Orders stored, per second. */
  readonly purchasesPerS: readonly number[];
  /** Messages that one commit took, on average; 0 where there was none. */
  readonly batchSize: readonly number[];
  /** What one commit took, on average, in ms; 0 where there was none. */
  readonly commitMs: readonly number[];
  /** The same over the last ten seconds. */
  readonly recent: {
    readonly purchasesPerS: number;
    readonly batchSize: number;
    readonly commitMs: number;
  };
  /** Messages that wait for their commit now. */
  readonly mailbox: number;
}
