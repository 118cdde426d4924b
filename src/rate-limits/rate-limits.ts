import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/** A rate limit: at most `count` uses of a key in a window of `windowS`. */
export interface RatePolicy {
  /** The name of the policy in headers and in Redis: lower-case letters and dashes. */
  readonly name: string;
  /** The number of uses that are allowed, 1 or more. */
  readonly count: number;
  /** The length of the window, in whole seconds. */
  readonly windowS: number;
}

/** The result of one use of a key. */
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
  /** Counts one use of the key. */
  take(key: string): Promise<Allowance>;
}

/**
 * Rate limits in fixed windows that begin with a key's first use. The limits are checked first for every request,
 * thousands of times a second.
 *
 * Guarantees: `take` never rejects and never waits for anything outside this process. A key gets its whole count within
 * a window, or nine tenths of the count when the key shares an approximate counter with other keys. Refusals are
 * cheapest. Several instances share their counts with a delay: each admits a key until it learns of the uses at other
 * instances. An instance that has itself counted a tenth of the limit learns of them every few ms. Without a connection
 * each instance counts alone.
 *
 * A limiter never refuses because something outside does not answer, and never stores a key longer than its window. A
 * key leaves the process only as a hash.
 */
export interface RateLimits {
  /** Call it once for each policy: two policies must not have the same name. */
  limiter(policy: RatePolicy): RateLimiter;
  close(): Promise<void>;
}

/** The parts of Node's request that identify the client. */
export interface IncomingRequest extends Pick<IncomingMessage, 'headers'> {
  readonly socket: Pick<Socket, 'remoteAddress'>;
}
