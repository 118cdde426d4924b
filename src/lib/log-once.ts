import type { Clock } from './clock.ts';

interface LogOnceOptions {
  readonly clock: Pick<Clock, 'monotonic'>;
  /** The least time between two logged problems, in ms. */
  readonly pauseMs: number;
}

/** Logs a recurring problem only once, until the problem changes or ends. */
export class LogOnce {
  readonly #options: LogOnceOptions | undefined;
  #logged: string | undefined;
  #loggedAt = Number.NEGATIVE_INFINITY;

  /** @param options bounds the lines about a problem that ends and comes again all the time. Default: no bound. */
  constructor(options?: LogOnceOptions) {
    this.#options = options;
  }

  /** Calls `log`, unless the last logged problem is the same, or was logged a short time ago. */
  report(problem: string, log: () => void): void {
    if (problem === this.#logged || this.#isPausing()) return;
    this.#logged = problem;
    log();
  }

  /**
   * Ends the problem, so that the next one is logged even if it is the same. Returns whether a problem had been logged.
   */
  end(): boolean {
    const wasLogged = this.#logged !== undefined;
    this.#logged = undefined;
    return wasLogged;
  }

  #isPausing(): boolean {
    if (this.#options === undefined) return false;
    const { clock, pauseMs } = this.#options;
    const now = clock.monotonic();
    if (now - this.#loggedAt < pauseMs) return true;
    this.#loggedAt = now;
    return false;
  }
}
