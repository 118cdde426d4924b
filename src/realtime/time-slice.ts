export interface TimeSliceOptions {
  /** The shortest and the longest slice, in ms. */
  readonly sliceMsMin: number;
  readonly sliceMsMax: number;
  /** Resolves after other work of the event loop had its turn. */
  readonly yieldToEventLoop: () => Promise<void>;
  /** The time of a monotonic clock, in ms. */
  readonly monotonicNow: () => number;
}

/**
 * Divides a long pass over thousands of items into slices. Other work runs between them. A slice lasts as long as the
 * other work between the slices took, within bounds. So purchases never wait long for the pass, and under load the pass
 * still gets half of the time.
 */
export class TimeSlice {
  readonly #options: TimeSliceOptions;
  #endsAt = 0;

  constructor(options: TimeSliceOptions) {
    this.#options = options;
  }

  /** Whether the slice is over. Call it after each item. If it is true, await `next` before the next item. */
  isOver(): boolean {
    return this.#options.monotonicNow() >= this.#endsAt;
  }

  /** Lets other work run, and begins the next slice. */
  async next(): Promise<void> {
    const { yieldToEventLoop, monotonicNow, sliceMsMin, sliceMsMax } = this.#options;
    const from = monotonicNow();
    await yieldToEventLoop();
    const now = monotonicNow();
    this.#endsAt = now + Math.min(Math.max(now - from, sliceMsMin), sliceMsMax);
  }
}
