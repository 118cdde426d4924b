import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/** A rate limit: at most `count` uses of a key in a window of `windowS`. */
export interface RatePolicy {
  /** Its name in headers and in Redis: lower-case letters and dashes. */
  readonly name: string;
  /** 1 or more. */
  readonly count: number;
  /** In whole seconds. */
  readonly windowS: number;
}

/** The result of one use. */
export interface Allowance {
  readonly isAllowed: boolean;
  /** Remaining uses in this window. */
  readonly remaining: number;
  /** Milliseconds until the window ends and the count starts again. */
  readonly resetMs: number;
}

/** Counts the uses of one policy by key. */
export interface RateLimiter {
  readonly policy: RatePolicy;
  /** Counts one use. */
  take(key: string): Promise<Allowance>;
}

/**
 * Rate limits in fixed windows that begin with a key's first use. Called first for every request, thousands of times a
 * second.
 *
 * Guarantees: `take` never rejects and never waits for anything outside this process. A key gets its whole count within a
 * window, or nine tenths of it when it shares an approximate counter with others. Refusals are cheapest. Several instances
 * share their counts with a delay: each admits a key until it learns of the others' uses, every few ms once it has seen a
 * tenth of the count itself. Without a connection each counts alone.
 * Never: refuses because something outside does not answer, or stores a key longer than its window. A key leaves the
 * process only as a hash.
 */
export interface RateLimits {
  /** One limiter for each name: several policies must not share one. */
  limiter(policy: RatePolicy): RateLimiter;
  close(): Promise<void>;
}

/** The parts of Node's request that identify the client. */
export interface IncomingRequest extends Pick<IncomingMessage, 'headers'> {
  readonly socket: Pick<Socket, 'remoteAddress'>;
}
