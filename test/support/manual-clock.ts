import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../src/lib/clock.ts';
import { fakeNow } from './fake-engine.ts';

interface Sleeper {
  readonly until: number;
  readonly wake: () => void;
}

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  #now = fakeNow;
  #jumpedMs = 0;
  readonly #sleepers = new Set<Sleeper>();

  /** Number of sleepers. */
  get sleepers(): number {
    return this.#sleepers.size;
  }

  now(): number {
    return this.#now + this.#jumpedMs;
  }

  /** It differs from `now()`, so that a mix-up of the two is noticed. */
  monotonic(): number {
    return this.#now - fakeNow;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const wake = () => {
        this.#sleepers.delete(sleeper);
        resolve();
      };
      const sleeper = { until: this.#now + ms, wake };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', wake, { once: true });
    });
  }

  /** Sets the time of `now()` forward or, with negative ms, back, as an operator of the machine may. */
  jump(ms: number): void {
    this.#jumpedMs += ms;
  }

  /** Advances the time by `ms`. Wakes sleepers in the order of their times, and lets each run until it waits again. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await runUntilIdle();
      const next = [...this.#sleepers].sort((a, b) => a.until - b.until)[0];
      if (next === undefined || next.until > end) break;
      this.#now = Math.max(this.#now, next.until);
      next.wake();
    }
    this.#now = end;
    await runUntilIdle();
  }
}

/** Runs all pending promises and immediates. */
export async function runUntilIdle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await setImmediate();
}
