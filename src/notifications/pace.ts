import type { AbortState } from '../lib/abort.ts';
import type { Clock } from '../lib/clock.ts';

/**
 * While the process is busy, each delivery is followed by a pause of this length, in ms. A delivery takes half a
 * millisecond of the process, and a large one twice as much. So deliveries take a hundredth of it at most.
 */
const spacingMs = 100;
/** The share of the time in which the event loop is at work, from which on the process counts as busy. */
const busyShare = 0.6;

/** Slows deliveries down while the process sells, because a mail can wait and a buyer cannot. */
export class Pace {
  readonly #clock: Clock;
  readonly #isBusy: () => boolean;
  #nextAt = 0;

  constructor(clock: Clock, isBusy: () => boolean = busyMeter()) {
    this.#clock = clock;
    this.#isBusy = isBusy;
  }

  /** Waits after so many deliveries. Those who wait at the same time wait one after another. */
  async rest(deliveries: number, until: AbortState): Promise<void> {
    if (deliveries === 0 || !this.#isBusy()) return;
    const now = this.#clock.monotonic();
    this.#nextAt = Math.max(now, this.#nextAt) + deliveries * spacingMs;
    await this.#clock.sleep(this.#nextAt - now, until);
  }
}

/** The least time over which the load is measured, in ms: a single turn of the event loop always looks busy. */
const meterMs = 500;

/** Returns whether the event loop was busy in the last while. */
function busyMeter(): () => boolean {
  let before = performance.eventLoopUtilization();
  let isBusy = false;
  return () => {
    const { idle, active, utilization } = performance.eventLoopUtilization(before);
    if (idle + active < meterMs) return isBusy;
    before = performance.eventLoopUtilization();
    isBusy = utilization > busyShare;
    return isBusy;
  };
}
