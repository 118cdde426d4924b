/** A lease on a package: makes two owners rare. The epoch in the store makes them harmless (rule Q9). */
export interface Lease {
  /** Aborts at the first doubt whether the lease still holds. */
  readonly lost: AbortSignal;
  /**
   * Whether it surely holds at this moment, by the clock. A process that was stopped past the end of its lease sees
   * it here first, for its timers may not have run yet: ask before each act. When it says no, `lost` has aborted.
   * Absent where no lease runs out.
   */
  isHeld?(): boolean;
  /** Gives it up; never throws. */
  release(): Promise<void>;
}

/** Called by ownership, once per activation. */
export interface Leases {
  /** Undefined while somebody else holds it. @throws Error when the lease service cannot be reached. */
  acquire(packageId: number): Promise<Lease | undefined>;
  /** @throws Error when no majority of the lease service answers: nothing can be owned for long. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
