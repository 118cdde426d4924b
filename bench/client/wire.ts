import type { ClosedLoop, LoadResult, OpenLoop } from '../stage.ts';

/** How a load goes: rates of the last second, and what has come to pass since it began, its warm-up included. */
export interface ProgressSample {
  readonly sentPerSecond: number;
  readonly answeredPerSecond: number;
  readonly finishedPerSecond: number;
  /** Errors of all kinds, and what could not be sent in time. */
  readonly errors: number;
  /** Answers 429. */
  readonly limited: number;
  /** Of the measured outcomes so far, in ms. */
  readonly p99?: number;
}

/** What the client's process is asked, over its channel. One load at a time. */
export type ClientRequest =
  | { readonly kind: 'closed'; readonly load: ClosedLoop }
  | { readonly kind: 'open'; readonly load: OpenLoop }
  /** What was bought is gone. */
  | { readonly kind: 'forget' }
  /** The load that is measured ends now, and is told as it is; without effect before it is measured. */
  | { readonly kind: 'stop' };

export type ClientReply =
  | { readonly kind: 'result'; readonly result: LoadResult }
  | { readonly kind: 'failed'; readonly message: string }
  /** What is measured begins or ends. */
  | { readonly kind: 'window'; readonly edge: 'begin' | 'end' }
  /** Once a second. */
  | { readonly kind: 'progress'; readonly sample: ProgressSample };
