export interface TimeSliceOptions {
  /** How long a pass may go on at a stretch, in ms. */
  readonly sliceMsMin: number;
  readonly sliceMsMax: number;
  /** Resolves when the event loop had its turn. */
  readonly yieldToEventLoop: () => Promise<void>;
  /** ms on a clock that never jumps. */
  readonly monotonicNow: () => number;
}

/**
 * Shares the event loop between passes over thousands of viewers and all else. A pass goes on for as long as the
 * others took before it, within bounds: so purchases are never held up for long, and under load a pass is not drawn
 * out by them to many times its length.
 */
export class TimeSlice {
  readonly #options: TimeSliceOptions;
  #endsAt = 0;

  constructor(options: TimeSliceOptions) {
    this.#options = options;
  }

  /** To be asked after each piece of work; when true, `pass` is to be awaited. */
  isOver(): boolean {
    return this.#options.monotonicNow() >= this.#endsAt;
  }

  /** Lets the others have their turn. */
  async next(): Promise<void> {
    const { yieldToEventLoop, monotonicNow, sliceMsMin, sliceMsMax } = this.#options;
    const from = monotonicNow();
    await yieldToEventLoop();
    const now = monotonicNow();
    this.#endsAt = now + Math.min(Math.max(now - from, sliceMsMin), sliceMsMax);
  }
}
