import type { Clock } from '../lib/clock.ts';

/** Ends a supplier call: when its caller stops it, or `limitMs` after its first attempt with an unknown outcome. */
export class CallDeadline {
  /** Aborts when the call has to end. The reason is an Error. */
  readonly signal: AbortSignal;
  /** Rejects with the same reason. May stay unhandled. */
  readonly expired: Promise<never>;
  readonly #stop: AbortSignal;
  readonly #clock: Clock;
  readonly #limitMs: number;
  readonly #expire: (why: string) => void;
  readonly #onStop = () => this.#expire('stopped');
  /** Ends the timer. Undefined before `start`: most calls never need it, and an abort costs 5 µs. */
  #timer: AbortController | undefined;
  #isReleased = false;

  constructor(stop: AbortSignal, clock: Clock, limitMs: number) {
    const ending = new AbortController();
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => {});
    this.signal = ending.signal;
    this.expired = promise;
    this.#stop = stop;
    this.#clock = clock;
    this.#limitMs = limitMs;
    this.#expire = (why) => {
      const reason = new Error(why);
      ending.abort(reason);
      reject(reason);
    };
    if (stop.aborted) this.#onStop();
    else stop.addEventListener('abort', this.#onStop, { once: true });
  }

  /** Starts the timer, the first time that it is called. */
  start(): void {
    if (this.#timer !== undefined || this.#isReleased) return;
    this.#timer = new AbortController();
    void this.#expireLater(this.#timer.signal);
  }

  /** Removes the listener and the timer. */
  release(): void {
    this.#isReleased = true;
    this.#stop.removeEventListener('abort', this.#onStop);
    this.#timer?.abort();
  }

  async #expireLater(released: AbortSignal): Promise<void> {
    await this.#clock.sleep(this.#limitMs, released);
    if (!released.aborted) this.#expire(`no definite answer for ${this.#limitMs} ms`);
  }
}
