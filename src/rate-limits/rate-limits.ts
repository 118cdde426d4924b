import type { IncomingMessage } from 'node:http';
/** So many uses in so much time, for everybody who has the limit applied. */
export interface RatePolicy {
  /** Names it in headers and in Redis: lower-case letters and dashes. */
  readonly name: string;
  /** 1 or more. */
  readonly count: number;
  /** Whole seconds. */
  readonly windowS: number;
}

/** What became of one use, and what is left. */
export interface Allowance {
  readonly isAllowed: boolean;
  /** Uses left in this window. */
  readonly remaining: number;
  /** ms until the window ends and the whole count is there again. */
  readonly resetMs: number;
}

/** Counts the uses of one policy by key. */
export interface RateLimiter {
  readonly policy: RatePolicy;
  /** Counts one use. */
  take(key: string): Promise<Allowance>;
}

/**
 * Rate limits, in fixed windows that begin with a key's first use. Called by the HTTP side before anything else is
 * done for a request, thousands of times a second.
 *
 * Guarantees: `take` never rejects and never waits for anything outside this process; a key gets its whole count
 * within a window, or nine tenths of it where it shares the coarse count with others; what is refused costs least.
 * Several instances count together within a factor: each lets a key through until it hears of the others, which it
 * does every few ms once it has seen a tenth of the count itself. Without the carrier each counts alone.
 * Never: refusing because something outside does not answer, or keeping a key longer than its window. A key leaves
 * the process only as a hash.
 */
export interface RateLimits {
  /** One limiter for each name: several policies must not share one. */
  limiter(policy: RatePolicy): RateLimiter;
  close(): Promise<void>;
}

/** Of a request, what tells who sent it. */
export type IncomingRequest = Pick<IncomingMessage, 'socket' | 'headers'>;
