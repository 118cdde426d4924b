/** The time, as the client needs it. Tests give their own. */
export interface Clock {
  /** Ms since some moment. It never jumps. */
  monotonic(): number;
  /** Resolves after `ms`, or as soon as the signal aborts. Never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The longest time that timers can be set to, in ms: 25 days. With a longer one they fire at once. */
const timerMsMax = 2 ** 31 - 1;

export const systemClock: Clock = {
  monotonic: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, Math.min(ms, timerMsMax));
      signal?.addEventListener('abort', done);
    }),
};

/** A random number from 0 up to 1. */
export type Random = () => number;

/**
 * The pause before the next attempt, in ms: it doubles with each failure, from `firstMs` to `maxMs`, and half of it is
 * random, so that clients that failed together do not return together.
 * @param failures how many attempts in a row have failed, from 1
 */
export function backoffMs(failures: number, firstMs: number, maxMs: number, random: Random): number {
  return Math.min(firstMs * 2 ** (failures - 1), maxMs) * (1 - random() / 2);
}
