import type { Percentiles } from '../results.ts';

/** Requests to the process with the viewers. Each gets a {@link ViewersReply} of the same kind. */
export type ViewersRequest =
  | {
      readonly kind: 'open';
      readonly origin: string;
      readonly topic: string;
      /** Number of viewers to open. */
      readonly count: number;
      /** The package whose free units are watched. */
      readonly packageId: number;
    }
  /** From now on, each decrease from this number of free units is one change. */
  | { readonly kind: 'record'; readonly freeUnits: number }
  /** Cut the connections of this many viewers at once. They reconnect like the pages. */
  | { readonly kind: 'cut'; readonly count: number; readonly timeoutMs: number }
  | {
      readonly kind: 'report';
      /** When each change was made, by `monotonicMs()`. */
      readonly madeAt: readonly number[];
      /** How long to wait for the last arrivals. */
      readonly timeoutMs: number;
    };

export type ViewersReply =
  | { readonly kind: 'open'; readonly opened: number; readonly failures: readonly string[] }
  | { readonly kind: 'record' }
  | ({ readonly kind: 'cut' } & CutReport)
  | ({ readonly kind: 'report' } & ViewersReport);

export interface CutReport {
  /** The time from the cut until a viewer had the current state again. */
  readonly recovery: Percentiles;
  /** Viewers that did not get it in time. */
  readonly lost: number;
}

export interface ViewersReport {
  /** The delay of each change at each viewer. */
  readonly delays: Percentiles;
  /** Pairs of a change and a viewer that did not see it. */
  readonly unseen: number;
  /** Messages received during the recording. */
  readonly messages: number;
  /** Sockets that have closed, and were not cut. */
  readonly gone: number;
  /** Cores used by the viewers' process during the recording. */
  readonly cpu: number;
}

/** The system's monotonic clock minus `performance.now()`, in ms. */
const lackMs = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/**
 * ms of a clock that all processes of the machine share and that is never adjusted. Only differences are meaningful.
 */
export function monotonicMs(): number {
  return lackMs + performance.now();
}
