import type { Change } from '../domain/messages.ts';
import type { TravelPackage } from '../domain/travel-package.ts';
import type { CommitOutcome, Metrics } from '../observability/metrics.ts';
import type { LiveBus } from '../realtime/live-bus.ts';
import { CommitUnknownError, FencedError, StoreUnavailableError } from '../storage/store.ts';

/** Counts and times a commit by how it ends. Rejects as the commit does. */
export async function measuredCommit(metrics: Metrics, commit: () => Promise<void>): Promise<void> {
  const ended = metrics.commit();
  try {
    await commit();
  } catch (error) {
    ended(commitEndOf(error));
    throw error;
  }
  ended('applied');
}

/** Tells viewers of a change that is applied. */
export function publishChange(liveBus: LiveBus, travelPackage: TravelPackage, change: Change): void {
  const { inventory, inserted, updated, erased = [] } = change;
  liveBus.publishPackage({ package: travelPackage, inventory });
  for (const order of updated) liveBus.publishOrder(order);
  for (const order of inserted) liveBus.publishOrder(order);
  for (const order of erased) liveBus.publishOrder(order);
}

function commitEndOf(error: unknown): CommitOutcome {
  if (error instanceof FencedError) return 'fenced';
  if (error instanceof CommitUnknownError) return 'unknown';
  return error instanceof StoreUnavailableError ? 'unavailable' : 'refused';
}
