import { isSettled, type Order } from '../domain/order.ts';

const dayMs = 86_400_000;

/** The time before which everything is older than the retention period. Times are Unix times in ms. */
export function cutoffOf(now: number, retentionDays: number): number {
  return now - retentionDays * dayMs;
}

/**
 * Whether an order is to be archived: it has ended before the cutoff. The period of a confirmed order begins at the end
 * of its night at the earliest, because its buyer needs it until then.
 */
export function isExpired(order: Order, cutoff: number): boolean {
  if (!isSettled(order)) return false;
  const endedAt = order.timeline.at(-1)?.at ?? order.createdAt;
  if (order.status !== 'confirmed') return endedAt < cutoff;
  // A night that is no date never ends.
  return endedAt < cutoff && Date.parse(order.package.stay) + 2 * dayMs < cutoff;
}
