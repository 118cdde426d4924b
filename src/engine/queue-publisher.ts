import type { PackageState } from '../domain/package-state.ts';
import type { Clock } from '../lib/clock.ts';
import type { LiveBus } from '../realtime/live-bus.ts';

/** How many of the line see every change of their place; the others see it once a second. */
const firstMax = 20;
const wholeEveryMs = 1_000;

/** Tells viewers of a package's line: its head with every change, the whole at most once a second. */
export class QueuePublisher {
  readonly #bus: LiveBus;
  readonly #clock: Clock;
  #wholeAt = 0;
  #isWholeDue = false;

  constructor(bus: LiveBus, clock: Clock) {
    this.#bus = bus;
    this.#clock = clock;
  }

  publish(state: PackageState, signal: AbortSignal): void {
    const packageId = state.package.id;
    const first = state.queue.first(firstMax);
    if (state.queue.size <= firstMax) return this.#bus.publishQueue({ packageId, first, all: first });
    const sinceWholeMs = this.#clock.now() - this.#wholeAt;
    if (sinceWholeMs >= wholeEveryMs) return this.#publishWhole(state);
    this.#bus.publishQueue({ packageId, first });
    if (!this.#isWholeDue) void this.#publishWholeAfter(wholeEveryMs - sinceWholeMs, state, signal);
  }

  async #publishWholeAfter(ms: number, state: PackageState, signal: AbortSignal): Promise<void> {
    this.#isWholeDue = true;
    await this.#clock.sleep(ms, signal);
    this.#isWholeDue = false;
    if (!signal.aborted) this.#publishWhole(state);
  }

  #publishWhole(state: PackageState): void {
    this.#wholeAt = this.#clock.now();
    const all = state.queue.first(Number.POSITIVE_INFINITY);
    this.#bus.publishQueue({ packageId: state.package.id, first: all.slice(0, firstMax), all });
  }
}
