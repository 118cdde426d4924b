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
 * Guarantees: `take` never rejects. A key gets its whole count within a window, and not more, unless
 * so many keys are in use that the oldest windows are forgotten and start again. Several instances give it
 * the count together, within 5 %, or within one use per instance if that is more. Refusals are cheapest. `take` waits for
 * nothing outside this process, except for 100 ms at most when instances share a key that is used often.
 *
 * A limiter never refuses because something outside does not answer, and never counts a use
 * beyond its window. Keys of past windows are deleted from time to time. A key leaves the process only as a hash.
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
