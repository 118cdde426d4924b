import type { Lock } from 'redlock';
import type { Lease } from '../lease.ts';

/** What a lease is measured by. */
export interface LeaseTimes {
  readonly ttlMs: number;
  /** ms on a clock that never jumps, but may stand still while the machine sleeps. */
  steady(): number;
  /** ms since the epoch, which may jump. A jump forward only makes us give up early. */
  now(): number;
}

/** When a lease that was asked for at `askedAt` (on the steady clock) has surely not run out yet, as Redlock reckons drift. */
function endOf(askedAt: number, ttlMs: number): number {
  return askedAt + ttlMs - Math.round(ttlMs * 0.01) - 2;
}

/** A lease that was granted: its present lock, and until when it may be believed. */
export class HeldLease implements Lease {
  readonly packageId: number;
  readonly lost: AbortSignal;
  readonly #lost = new AbortController();
  readonly #times: LeaseTimes;
  readonly #onRelease: (lease: HeldLease) => Promise<void>;
  #lock: Lock;
  /** Redlock's own reckoning; copied, for an extension marks the lock that it replaces as run out. */
  #expiresAt: number;
  #endsAt: number;
  #extendAt: number;
  #over = false;
  #extending = false;

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
    this.#lock = lock;
    this.#expiresAt = lock.expiration;
    this.#endsAt = endOf(askedAt, times.ttlMs);
    this.#extendAt = this.#dueAfter(askedAt);
  }

  get lock(): Lock {
    return this.#lock;
  }

  isHeld(): boolean {
    if (this.#over) return false;
    if (this.#times.steady() < this.#endsAt && this.#times.now() < this.#expiresAt) return true;
    this.lose(`the lease of package ${this.packageId} has run out`);
    return false;
  }

  /** True once for each time that it should be extended; `extended` or `notExtended` follows. */
  takeExtension(): boolean {
    if (this.#extending || this.#over || this.#times.steady() < this.#extendAt) return false;
    this.#extending = true;
    return true;
  }

  extended(lock: Lock, askedAt: number): void {
    this.#extending = false;
    this.#lock = lock;
    this.#expiresAt = lock.expiration;
    this.#endsAt = endOf(askedAt, this.#times.ttlMs);
    this.#extendAt = this.#dueAfter(askedAt);
  }

  /** Nobody knows whether it was: it is tried again while the lease lasts. */
  notExtended(): void {
    this.#extending = false;
  }

  lose(why: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#lost.abort(new Error(why));
  }

  async release(): Promise<void> {
    this.#over = true;
    await this.#onRelease(this);
  }

  /** After a quarter to a third of its time; each package at another moment, so that many do not come at once. */
  #dueAfter(askedAt: number): number {
    const spread = (this.packageId * 0.618_034) % 1;
    return askedAt + (this.#times.ttlMs / 3) * (0.75 + 0.25 * spread);
  }
}
