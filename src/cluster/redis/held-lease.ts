import type { Lock } from 'redlock';
import type { Clock } from '../../lib/clock.ts';
import type { Lease } from '../lease.ts';

/** The two clocks by which a lease expires. A lease counts as expired as soon as it has expired on either clock. */
export interface LeaseTimes {
  readonly ttlMs: number;
  /**
   * Its monotonic clock may stop while the machine sleeps. Its Unix time may jump; a jump forward ends the lease too
   * early, which is safe.
   */
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
}

/** A lease that was granted, with its current lock. */
export class HeldLease implements Lease {
  readonly packageId: number;
  readonly lost: AbortSignal;
  readonly #lost = new AbortController();
  readonly #times: LeaseTimes;
  readonly #onRelease: (lease: HeldLease) => Promise<void>;
  #lock!: Lock;
  /** End of the lease on the wall clock. Copied from the lock, because an extension marks the old lock as expired. */
  #endsAtWallClock = 0;
  /** End of the lease on the monotonic clock. */
  #endsAt = 0;
  #extendAt = 0;
  #isOver = false;
  #isExtending = false;

  /** @param askedAt the time of the lease's request, on the monotonic clock. */
  constructor(
    packageId: number,
    lock: Lock,
    askedAt: number,
    times: LeaseTimes,
    onRelease: (lease: HeldLease) => Promise<void>,
  ) {
    this.packageId = packageId;
    this.lost = this.#lost.signal;
    this.#times = times;
    this.#onRelease = onRelease;
    this.extended(lock, askedAt);
  }

  get lock(): Lock {
    return this.#lock;
  }

  isHeld(): boolean {
    if (this.#isOver) return false;
    if (this.#times.clock.monotonic() < this.#endsAt && this.#times.clock.now() < this.#endsAtWallClock)
      return true;
    this.lose(`the lease of package ${this.packageId} has run out`);
    return false;
  }

  /**
   * Whether the lease should be extended now. If true, the caller extends it, then calls `extended` or
   * `extensionFailed`.
   */
  beginExtension(): boolean {
    if (this.#isExtending || this.#isOver || this.#times.clock.monotonic() < this.#extendAt) return false;
    this.#isExtending = true;
    return true;
  }

  /** @param askedAt the time of the extension's request, on the monotonic clock. */
  extended(lock: Lock, askedAt: number): void {
    const { ttlMs } = this.#times;
    this.#isExtending = false;
    this.#lock = lock;
    this.#endsAtWallClock = lock.expiration;
    // Subtracts the same allowance for clock drift as Redlock.
    this.#endsAt = askedAt + ttlMs - Math.round(ttlMs * 0.01) - 2;
    // Extend after a quarter to a third of the TTL. The share depends on the package, so that extensions spread out.
    const share = 0.75 + 0.25 * ((this.packageId * 0.618_034) % 1);
    this.#extendAt = askedAt + (ttlMs / 3) * share;
  }

  /** Notes an extension with an unknown result. The extension is tried again while the lease lasts. */
  extensionFailed(): void {
    this.#isExtending = false;
  }

  lose(why: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#lost.abort(new Error(why));
  }

  async release(): Promise<void> {
    this.#isOver = true;
    await this.#onRelease(this);
  }
}
