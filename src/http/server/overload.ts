import type { Clock } from '../../lib/clock.ts';

const tickMs = 100;
/** A timer this late means thousands of requests per turn of the event loop. */
const behindMs = 400;
/** Fewer late ticks in a row may be a garbage collection or a paused process. */
const lateTurns = 3;
/** Purchases admitted per tick even under overload: enough to keep the actors busy until the next tick. */
const admittedPerTurn = 256;

/**
 * Sheds load: refuses the newest purchases while the event loop is far behind, so that earlier purchases, look-ups and
 * health checks are served in time. Measures the delay of a timer.
 */
export class LoopAdmission {
  readonly #clock: Clock;
  readonly #stopping = new AbortController();
  #lateInARow = 0;
  #admitted = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Measures the event loop until {@link stop}. */
  start(): void {
    void this.#watch(this.#stopping.signal);
  }

  stop(): void {
    this.#stopping.abort();
  }

  /** Whether the server has the capacity for another purchase. */
  admits(): boolean {
    return this.#lateInARow < lateTurns || ++this.#admitted <= admittedPerTurn;
  }

  async #watch(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      const from = this.#clock.now();
      await this.#clock.sleep(tickMs, stop);
      const lateMs = this.#clock.now() - from - tickMs;
      this.#lateInARow = lateMs > behindMs ? this.#lateInARow + 1 : 0;
      this.#admitted = 0;
    }
  }
}
