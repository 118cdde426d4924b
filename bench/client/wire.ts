import type { ClosedLoop, LoadResult, OpenLoop } from '../stage.ts';

/** What the client's process is asked, over its channel. One load at a time. */
export type ClientRequest =
  | { readonly kind: 'closed'; readonly load: ClosedLoop }
  | { readonly kind: 'open'; readonly load: OpenLoop }
  /** What was bought is gone. */
  | { readonly kind: 'forget' };

export type ClientReply =
  | { readonly kind: 'result'; readonly result: LoadResult }
  | { readonly kind: 'failed'; readonly message: string }
  /** What is measured begins or ends. */
  | { readonly kind: 'window'; readonly edge: 'begin' | 'end' }
  /** Answers per second, a few times a second. */
  | { readonly kind: 'progress'; readonly perSecond: number };
