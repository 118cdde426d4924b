import type { BookingEngine } from '../../ports/booking-engine.ts';
import type { InstanceStatus, OperatedOrder, Operations, PackageStatus } from '../../ports/operations.ts';
import type { OperatorEvent } from '../../ports/operator-log.ts';
import { StoreUnavailableError } from '../../ports/store.ts';

/** Everything that the overview shows, read at one moment. */
export interface Overview {
  /** ms since the epoch. */
  readonly now: number;
  readonly packages: readonly PackageStatus[];
  readonly instances: readonly InstanceStatus[];
  /** Orders that are stuck or slow. */
  readonly concerns: readonly OperatedOrder[];
  /** The newest of the operators' log, newest first. */
  readonly changes: readonly OperatorEvent[];
  /** Whether the suppliers answer this instance. */
  readonly suppliersAvailable: boolean;
  /** What keeps this instance from taking orders, in words. */
  readonly missing: readonly string[];
  /** The store did not answer: what is shown is what was read before. */
  readonly isStale: boolean;
}

export interface OverviewDeps {
  readonly operations: Pick<Operations, 'packages' | 'instances' | 'orders' | 'changes'>;
  readonly engine: Pick<BookingEngine, 'missing' | 'suppliersAvailable'>;
  readonly clock: { now(): number };
}

const changesShown = 5;

/**
 * Reads it. What the store does not answer is as it was before, and empty if there is no before: just then an
 * operator needs the page.
 */
export async function readOverview(deps: OverviewDeps, before?: Overview): Promise<Overview> {
  const { operations, engine, clock } = deps;
  let isStale = false;
  const orBefore = async <Value>(reading: Promise<Value>, known: Value): Promise<Value> => {
    try {
      return await reading;
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      isStale = true;
      return known;
    }
  };
  const [packages, instances, concerns, changes, missing] = await Promise.all([
    orBefore(operations.packages(), before?.packages ?? []),
    orBefore(operations.instances(), before?.instances ?? []),
    orBefore(
      operations.orders({ stuck: true }).then(({ orders }) => orders),
      before?.concerns ?? [],
    ),
    orBefore(
      operations.changes(undefined, changesShown).then(({ items }) => items),
      before?.changes ?? [],
    ),
    engine.missing(),
  ]);
  const { suppliersAvailable } = engine;
  return {
    now: clock.now(),
    packages,
    instances,
    concerns,
    changes,
    suppliersAvailable,
    missing,
    isStale,
  };
}
