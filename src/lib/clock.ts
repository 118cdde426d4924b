/** Time comes in from outside, so that the simulation can own it. */
export interface Clock {
  /** ms since the epoch. */
  now(): number;
  /** Resolves after `ms`, or at once when the signal aborts: it never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
