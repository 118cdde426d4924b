import type { NumberRuns } from '../domain/number-runs.ts';
import type { Order } from '../domain/order.ts';
import type { PackageSnapshot } from '../domain/travel-package.ts';
import { type Log, silentLog } from '../observability/log.ts';

/**
 * The queue of a package, as order numbers in queue order, which is ascending. `first` holds the first twenty at most and
 * comes with every change. For a longer queue `all` comes at most once a second, and for a shorter queue with every
 * change. `all` has runs, so its size depends on how many orders have left from the middle, not on how many wait.
 */
export interface QueueSnapshot {
  readonly packageId: number;
  readonly first: readonly number[];
  readonly all?: NumberRuns;
}

export interface LiveListener {
  readonly package?: (snapshot: PackageSnapshot) => void;
  readonly order?: (order: Order) => void;
  /** A package without orders was removed. */
  readonly removed?: (packageId: number) => void;
  readonly queue?: (queue: QueueSnapshot) => void;
}

/**
 * Carries changes from the engine to viewers and to waiting callers, after the commit. A change may be lost, so a
 * caller that waits for one must also read the store. Listeners are called in commit order for each package, and must
 * not throw.
 */
export interface LiveBus {
  publishPackage(snapshot: PackageSnapshot): void;
  publishRemoved(packageId: number): void;
  publishOrder(order: Order): void;
  publishQueue(queue: QueueSnapshot): void;
  /** Returns a function that removes the listener. */
  subscribe(listener: LiveListener): () => void;
  close(): Promise<void>;
}

/**
 * The live bus of a single process. Listeners are called before `publish…` returns. An error of a listener is logged
 * and reaches neither the publisher nor the other listeners.
 */
export function localLiveBus(log: Log = silentLog): LiveBus {
  const listeners = new Set<LiveListener>();

  function publish(call: (listener: LiveListener) => void): void {
    for (const listener of listeners) {
      try {
        call(listener);
      } catch (err) {
        log.error({ err }, 'A listener of the live bus failed.');
      }
    }
  }

  return {
    publishPackage: (snapshot) => publish((listener) => listener.package?.(snapshot)),
    publishRemoved: (packageId) => publish((listener) => listener.removed?.(packageId)),
    publishOrder: (order) => publish((listener) => listener.order?.(order)),
    publishQueue: (queue) => publish((listener) => listener.queue?.(queue)),
    subscribe(listener) {
      // Add a copy, so that the same listener can subscribe twice and be removed once.
      const own = { ...listener };
      listeners.add(own);
      return () => listeners.delete(own);
    },
    async close() {
      listeners.clear();
    },
  };
}
