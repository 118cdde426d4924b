import type { AbortState } from './abort.ts';

/** The time. Functions get the clock as a parameter, so that the simulation and tests can control it. */
export interface Clock {
  /** Unix time in ms, to show and to store. It may jump, by hours too: never measure an age or a deadline with it. */
  now(): number;
  /** Whole ms since some moment. It never jumps, and means nothing to another process. */
  monotonic(): number;
  /** Resolves after `ms`, or as soon as the signal aborts. Never rejects. */
  sleep(ms: number, signal?: AbortState): Promise<void>;
}

/** The machine's clock. Its timers do not keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  // Whole, because the sum of a fraction and a limit is inexact: a wait of 60 s would be announced as 61.
  monotonic: () => Math.floor(performance.now()),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      timer.unref();
      signal?.addEventListener('abort', done);
    }),
};
