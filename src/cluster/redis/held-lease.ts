import type { Lock } from 'redlock';
import type { Lease } from '../lease.ts';

/** The clocks by which a lease expires. It counts as expired as soon as one of them says so. */
export interface LeaseTimes {
  readonly ttlMs: number;
  /** ms on a clock that never jumps, but may stop while the machine sleeps. */
  steady(): number;
  /** ms since the epoch. This clock may jump; a jump forward ends the lease too early, which is safe. */
  now(): number;
}

/** A lease that was granted, with its current lock. */
export class HeldLease implements Lease {
  readonly packageId: number;
  readonly lost: AbortSignal;
  readonly #lost = new AbortController();
  readonly #times: LeaseTimes;
  readonly #onRelease: (lease: HeldLease) => Promise<void>;
  #lock!: Lock;
  /** When the lease ends on the wall clock. A copy, because an extension marks the old lock as expired. */
  #endsAtWallClock = 0;
  /** The same on the steady clock. */
  #endsAt = 0;
  #extendAt = 0;
  #isOver = false;
  #isExtending = false;

  /** @param askedAt when the lease was requested, on the steady clock. */
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
    if (this.#times.steady() < this.#endsAt && this.#times.now() < this.#endsAtWallClock) return true;
    this.lose(`the lease of package ${this.packageId} has run out`);
    return false;
  }

  /** Whether the lease should be extended now. After true, the caller extends it and calls one of the next two. */
  beginExtension(): boolean {
    if (this.#isExtending || this.#isOver || this.#times.steady() < this.#extendAt) return false;
    this.#isExtending = true;
    return true;
  }

  /** @param askedAt when the extension was requested, on the steady clock. */
  extended(lock: Lock, askedAt: number): void {
    const { ttlMs } = this.#times;
    this.#isExtending = false;
    this.#lock = lock;
    this.#endsAtWallClock = lock.expiration;
    // The same allowance for clock drift as Redlock's.
    this.#endsAt = askedAt + ttlMs - Math.round(ttlMs * 0.01) - 2;
    // After a quarter to a third of its time. It depends on the package, so that the extensions spread out.
    const share = 0.75 + 0.25 * ((this.packageId * 0.618_034) % 1);
    this.#extendAt = askedAt + (ttlMs / 3) * share;
  }

  /** It is unknown whether the extension succeeded. It is tried again while the lease lasts. */
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
