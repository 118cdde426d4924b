/** The statuses that may directly follow each status. */
const next: Readonly<Record<string, readonly string[]>> = {
  queued: ['held', 'withdrawn', 'rejected'],
  held: ['payable', 'confirmed', 'compensating', 'failed'],
  payable: ['confirmed', 'compensating'],
  compensating: ['failed'],
  confirmed: ['cancelling'],
  cancelling: ['cancelled'],
  failed: [],
  rejected: [],
  withdrawn: [],
  cancelled: [],
};

export const statuses: readonly string[] = Object.keys(next);

/** Whether an order can get from one status to another in any number of steps, including none. */
export function leadsTo(from: string, to: string): boolean {
  return from === to || (next[from] ?? []).some((status) => leadsTo(status, to));
}
