/** A lease on a package. The lease makes two owners rare; the epoch in the store makes them harmless (promise Q9). */
export interface Lease {
  /** Aborts as soon as the lease might no longer be held. */
  readonly lost: AbortSignal;
  /**
   * Whether the lease is certainly held now, by the clock. Ask before each write: in a process that was paused past the
   * end of its lease, the timer that aborts `lost` may not have run yet. If the result is false, `lost` has aborted.
   */
  isHeld(): boolean;
  /** Never throws. */
  release(): Promise<void>;
}

/** The lease service. The engine acquires one lease for each activation of a package. */
export interface Leases {
  /**
   * Acquires a lease; undefined if another instance holds it.
   * @throws Error when the lease service cannot be reached.
   */
  acquire(packageId: number): Promise<Lease | undefined>;
  /** Checks the lease service. @throws Error when no majority of its nodes answers. */
  ping(): Promise<void>;
  /** Releases all leases. */
  close(): Promise<void>;
}
