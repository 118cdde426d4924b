import type { Clock } from '../../lib/clock.ts';

/** Whether the server has time for another purchase. */
export interface Admission {
  admits(): boolean;
}

const tickMs = 100;
/** Later than this by itself, a loop has thousands of requests in each of its turns. */
const behindMs = 400;
/** So long a row of late turns is no collection of garbage, nor a process that was paused. */
const lateTurns = 3;
/** What is let in at each turn all the same: as much as keeps the actors busy until the next. */
const admittedPerTurn = 256;

/**
 * Turns the newest purchases away while the event loop is far behind, so that those before them, look-ups and health
 * checks are still served in time. A timer that comes late tells by how much.
 */
export class LoopAdmission implements Admission {
  readonly #clock: Clock;
  readonly #stopping = new AbortController();
  #lateInARow = 0;
  #admitted = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Watches the loop until it is stopped. */
  start(): void {
    void this.#watch(this.#stopping.signal);
  }

  stop(): void {
    this.#stopping.abort();
  }

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
