import type { Clock } from '../lib/clock.ts';

/** How long a call goes on: until its caller stops it, or for a while after something went wrong. */
export class Patience {
  /** Aborts when it is over; the reason is an Error that says why. */
  readonly over: AbortSignal;
  /** Rejects with the same reason. Need not be listened to. */
  readonly lost: Promise<never>;
  readonly #stop: AbortSignal;
  readonly #clock: Clock;
  readonly #limitMs: number;
  readonly #lose: (why: string) => void;
  readonly #stopped = () => this.#lose('stopped');
  #limit: AbortController | undefined;
  #isOver = false;

  constructor(stop: AbortSignal, clock: Clock, limitMs: number) {
    const over = new AbortController();
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => {});
    this.over = over.signal;
    this.lost = promise;
    this.#stop = stop;
    this.#clock = clock;
    this.#limitMs = limitMs;
    this.#lose = (why) => {
      const reason = new Error(why);
      over.abort(reason);
      reject(reason);
    };
    if (stop.aborted) this.#stopped();
    else stop.addEventListener('abort', this.#stopped, { once: true });
  }

  /** From the first time that this is called, the patience is limited. */
  limit(): void {
    if (this.#isOver || this.#limit !== undefined) return;
    this.#limit = new AbortController();
    void this.#expire(this.#limit.signal);
  }

  /** Lets go of signal and timer. */
  end(): void {
    this.#stop.removeEventListener('abort', this.#stopped);
    this.#isOver = true;
    this.#limit?.abort('ended');
  }

  async #expire(ended: AbortSignal): Promise<void> {
    await this.#clock.sleep(this.#limitMs, ended);
    if (!ended.aborted) this.#lose(`no definite answer for ${this.#limitMs} ms`);
  }
}
