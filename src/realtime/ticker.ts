import type { Clock } from '../lib/clock.ts';

export interface TickerOptions {
  /** At most one pass per so many ms. */
  readonly everyMs: number;
  /** How long to wait after it was asked, in ms, so that one pass does for what comes together. */
  readonly gatherMs: () => number;
}

/**
 * Runs a pass when it was asked to, at most once per interval; asked during a pass, it runs another one after it.
 * While nobody asks there is no timer.
 */
export class Ticker {
  readonly #clock: Clock;
  readonly #times: TickerOptions;
  readonly #pass: () => Promise<void>;
  readonly #stopped = new AbortController();
  #asked = false;
  #running = false;
  #lastAt = Number.NEGATIVE_INFINITY;

  /** `pass` must not throw. */
  constructor(clock: Clock, times: TickerOptions, pass: () => Promise<void>) {
    this.#clock = clock;
    this.#times = times;
    this.#pass = pass;
  }

  request(): void {
    this.#asked = true;
    if (!this.#running) void this.#run();
  }

  stop(): void {
    this.#stopped.abort();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    this.#running = true;
    while (this.#asked && !signal.aborted) {
      await this.#clock.sleep(this.#waitMs(), signal);
      if (signal.aborted) break;
      this.#asked = false;
      this.#lastAt = this.#clock.now();
      await this.#pass();
    }
    this.#running = false;
  }

  /** Within the interval even when the machine's clock was set back. */
  #waitMs(): number {
    const { everyMs, gatherMs } = this.#times;
    const waitMs = this.#lastAt + everyMs - this.#clock.now();
    return Math.min(Math.max(waitMs, gatherMs()), everyMs);
  }
}

/** Runs a beat once per interval while it is needed. Between times of need there is no timer. */
export class Interval {
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #needed: () => boolean;
  readonly #beat: () => Promise<void>;
  readonly #stopped = new AbortController();
  #running = false;

  /** `beat` must not throw. */
  constructor(clock: Clock, everyMs: number, needed: () => boolean, beat: () => Promise<void>) {
    this.#clock = clock;
    this.#everyMs = everyMs;
    this.#needed = needed;
    this.#beat = beat;
  }

  /** To be called whenever it may have become needed. */
  wake(): void {
    if (!this.#running) void this.#run();
  }

  stop(): void {
    this.#stopped.abort();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    this.#running = true;
    while (this.#needed() && !signal.aborted) {
      await this.#clock.sleep(this.#everyMs, signal);
      if (signal.aborted) break;
      await this.#beat();
    }
    this.#running = false;
  }
}
