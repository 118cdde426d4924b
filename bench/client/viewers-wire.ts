import type { Percentiles } from '../results.ts';

/** What the process with the viewers is told. It answers each with an {@link ViewersReply} of the same kind. */
export type ViewersRequest =
  | {
      readonly kind: 'open';
      readonly origin: string;
      readonly topic: string;
      /** How many to open. */
      readonly count: number;
      /** The package whose free units are followed. */
      readonly packageId: number;
    }
  /** From now on, each unit fewer than these that are free is one change. */
  | { readonly kind: 'record'; readonly freeUnits: number }
  | {
      readonly kind: 'report';
      /** When each change was made, on the clock of `viewers-clock.ts`. */
      readonly madeAt: readonly number[];
      /** How long the last ones are waited for. */
      readonly patienceMs: number;
    };

export type ViewersReply =
  | { readonly kind: 'open'; readonly opened: number; readonly failures: readonly string[] }
  | { readonly kind: 'record' }
  | ({ readonly kind: 'report' } & ViewersReport);

export interface ViewersReport {
  /** From a change to each viewer that was to see it. */
  readonly delays: Percentiles;
  /** Changes, times viewers, that never arrived. */
  readonly unseen: number;
  /** Messages that arrived while it was recorded. */
  readonly messages: number;
  /** Sockets that were open and are not any more. */
  readonly gone: number;
  /** Cores that the viewers' process used while it was recorded. */
  readonly cpu: number;
}
