/** What this process costs, and how late it is. */
export interface ProcessLoad {
  /** The worst delay of the event loop in the last second or two. */
  readonly eventLoopLagMs: number;
  /** Resident memory. */
  readonly rssBytes: number;
}
