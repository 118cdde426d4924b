import type { FaultEntry } from '../history.ts';

/** The maximum age of a snapshot from which an instance answers, as promised, in ms. */
const snapshotMs = 250;
/**
 * A further delay between a decision and the last answer that does not know of the decision, on an overloaded machine.
 * The delay includes the commit, the message to the instance, and the instance's event loop.
 */
const delayMs = 2_000;
/** How long a fault has effects after it was healed: elections, reconnections, delayed messages. */
const afterMs = 10_000;

/** The times of all faults, which may make a snapshot older. */
export class FaultTimes {
  readonly #faults: { readonly from: number; readonly to: number }[] = [];

  add({ at, until }: FaultEntry): void {
    this.#faults.push({ from: at, to: (until ?? at) + afterMs });
  }

  /**
   * An answer knows every decision that was committed before this time: a snapshot's permitted age before the request
   * was sent, or before the faults that may have delayed it.
   */
  knownSince({ sentAt, endedAt }: { readonly sentAt: number; readonly endedAt: number }): number {
    const since = knownWithoutFaults(sentAt);
    const atWork = this.#faults.filter(({ from, to }) => from <= endedAt && to >= since);
    return Math.min(since, ...atWork.map(({ from }) => knownWithoutFaults(from)));
  }
}

/** Like `knownSince`, for a request that no fault has delayed. */
export function knownWithoutFaults(sentAt: number): number {
  return sentAt - snapshotMs - delayMs;
}
