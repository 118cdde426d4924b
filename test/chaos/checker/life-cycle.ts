/** What may follow each status, at once. */
const next: Readonly<Record<string, readonly string[]>> = {
  queued: ['held', 'withdrawn', 'rejected'],
  held: ['confirmed', 'compensating', 'failed'],
  compensating: ['failed'],
  confirmed: ['cancelling'],
  cancelling: ['cancelled'],
  failed: [],
  rejected: [],
  withdrawn: [],
  cancelled: [],
};

/** Every status there is. */
export const statuses: readonly string[] = Object.keys(next);

/** Whether an order can get from one status to another, in any number of steps, none included. */
export function leadsTo(from: string, to: string): boolean {
  return from === to || (next[from] ?? []).some((status) => leadsTo(status, to));
}
