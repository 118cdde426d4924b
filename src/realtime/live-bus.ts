import type { Order } from '../domain/order.ts';
import type { PackageSnapshot } from '../domain/travel-package.ts';

/**
 * The line of a package, by order number, first in line first.
 * `first` holds at most twenty and comes with every change; `all` is there at most once a second while the
 * line is longer, and whenever it is not.
 */
export interface QueueSnapshot {
  readonly packageId: number;
  readonly first: readonly number[];
  readonly all?: readonly number[];
}

export interface LiveListener {
  readonly package?: (snapshot: PackageSnapshot) => void;
  readonly order?: (order: Order) => void;
  /** A package was removed: nobody had ordered it. */
  readonly removed?: (packageId: number) => void;
  readonly queue?: (line: QueueSnapshot) => void;
}

/**
 * Tells viewers what has changed, after its commit. Fire and forget: a lost message is only a delay, for whoever
 * waits re-reads the store. Listeners are called in the order of the commits of each package and must not throw.
 */
export interface LiveBus {
  publishPackage(snapshot: PackageSnapshot): void;
  publishRemoved(packageId: number): void;
  publishOrder(order: Order): void;
  publishQueue(line: QueueSnapshot): void;
  /** Returns how to stop listening. */
  subscribe(listener: LiveListener): () => void;
  close(): Promise<void>;
}
