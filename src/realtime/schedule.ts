import type { Clock } from '../lib/clock.ts';

export interface IntervalOptions {
  /** The pause before each pass, in ms. */
  readonly pauseMs: () => number;
  readonly isNeeded: () => boolean;
  /** The work to repeat. It must not throw. */
  readonly pass: () => Promise<void>;
}

/** Repeats a pass after pauses for as long as the pass is needed. While no pass is needed there is no timer. */
export class Interval {
  readonly #clock: Clock;
  readonly #options: IntervalOptions;
  readonly #stopped = new AbortController();
  #isRunning = false;

  constructor(clock: Clock, options: IntervalOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  /** Starts the passes. Call it whenever a pass may have become necessary. */
  wake(): void {
    if (!this.#isRunning) void this.#run();
  }

  stop(): void {
    this.#stopped.abort();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    const { pauseMs, isNeeded, pass } = this.#options;
    this.#isRunning = true;
    while (isNeeded() && !signal.aborted) {
      await this.#clock.sleep(pauseMs(), signal);
      if (signal.aborted) break;
      await pass();
    }
    this.#isRunning = false;
  }
}

export interface TickerOptions {
  /** The least time from the start of one pass to the start of the next, in ms. */
  readonly everyMs: number;
  /** The least time from a request to its pass, in ms, so that one pass serves requests that come together. */
  readonly gatherMs: () => number;
}

/**
 * Runs a pass after it was requested, at most once per `everyMs`. A request that comes during a pass leads to another
 * pass.
 */
export class Ticker {
  readonly #interval: Interval;
  #isRequested = false;
  #lastAt = Number.NEGATIVE_INFINITY;

  /** @param pass must not throw. */
  constructor(clock: Clock, { everyMs, gatherMs }: TickerOptions, pass: () => Promise<void>) {
    this.#interval = new Interval(clock, {
      // The pause is at most `everyMs`, even when the clock was set back.
      pauseMs: () => Math.min(Math.max(this.#lastAt + everyMs - clock.monotonic(), gatherMs()), everyMs),
      isNeeded: () => this.#isRequested,
      pass: () => {
        this.#isRequested = false;
        this.#lastAt = clock.monotonic();
        return pass();
      },
    });
  }

  request(): void {
    this.#isRequested = true;
    this.#interval.wake();
  }

  stop(): void {
    this.#interval.stop();
  }
}

export interface TimeSliceOptions {
  /** The shortest and the longest slice, in ms. */
  readonly sliceMsMin: number;
  readonly sliceMsMax: number;
  /** Resolves when other work of the event loop has had its turn. */
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
