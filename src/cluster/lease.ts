/** A lease on a package. It makes two owners rare; the epoch in the store makes them harmless (promise Q9). */
export interface Lease {
  /** Aborts as soon as the lease may no longer hold. */
  readonly lost: AbortSignal;
  /**
   * Whether the lease certainly holds now, by the clock. Ask before each write: in a process that was paused past
   * the end of its lease, the timer that aborts `lost` may not have run yet. `lost` has aborted when this is false.
   * Undefined for leases that never expire.
   */
  isHeld?(): boolean;
  /** Never throws. */
  release(): Promise<void>;
}

/** The lease service. The engine acquires one lease for each activation of a package. */
export interface Leases {
  /** Undefined while another instance holds the lease. @throws Error when the lease service cannot be reached. */
  acquire(packageId: number): Promise<Lease | undefined>;
  /** @throws Error when no majority of the lease service's nodes answers. */
  ping(): Promise<void>;
  /** Releases all leases. */
  close(): Promise<void>;
}

/**
 * Leases of a single process: every lease is granted and none is lost. They are safe because the store's own lock
 * keeps a second process out.
 */
export function localLeases(): Leases {
  const never = new AbortController().signal;
  return {
    acquire: async () => ({ lost: never, release: async () => {} }),
    ping: async () => {},
    close: async () => {},
  };
}
