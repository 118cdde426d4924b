import type { ClosedLoop, LoadResult, OpenLoop } from '../testbed.ts';

/** The progress of a load: rates of the last second, and totals since the start including the warm-up. */
export interface ProgressSample {
  readonly sentPerSecond: number;
  readonly answeredPerSecond: number;
  readonly finishedPerSecond: number;
  /** Errors of all kinds, and requests that could not be sent in time. */
  readonly errors: number;
  /** Answers 429. */
  readonly limited: number;
  /** Of the outcomes measured so far, in ms. */
  readonly p99?: number;
}

/** Requests to the client's process over its message channel. One load at a time. */
export type ClientRequest =
  | { readonly kind: 'closed'; readonly load: ClosedLoop }
  | { readonly kind: 'open'; readonly load: OpenLoop }
  /** Forget the orders bought so far. */
  | { readonly kind: 'forget' }
  /** End the measured window now and return the results; has no effect before the window begins. */
  | { readonly kind: 'stop' };

export type ClientReply =
  | { readonly kind: 'result'; readonly result: LoadResult }
  | { readonly kind: 'failed'; readonly message: string }
  /** The measured window begins or ends. */
  | { readonly kind: 'window'; readonly edge: 'begin' | 'end' }
  /** Sent once a second. */
  | { readonly kind: 'progress'; readonly sample: ProgressSample };
