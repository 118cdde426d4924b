import pLimit, { type LimitFunction } from 'p-limit';
import type { Lease, Leases } from '../../cluster/lease.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';

export interface LocksOptions {
  readonly leases: Leases;
  readonly clock: Clock;
  readonly random: Random;
  /** Nothing is locked once it aborts. */
  readonly closing: AbortSignal;
}

/** What is done under a lock; the signal aborts when the lock may be lost, or the process stops. */
export type LockedWork = (signal: AbortSignal) => Promise<void>;

/** Between two tries for a lock that somebody else holds, on average. */
const retryMs = 10;
/** How long the lock service may fail before it counts as away. */
const failingMaxMs = 1_500;
/** A process that has had the lock of a package for so long lets the others have a try. */
const streakMs = 200;
const yieldMs = 20;

interface Turns {
  readonly limit: LimitFunction;
  /** Since when this process has taken the lock again and again. */
  since: number | undefined;
}

/**
 * A lock around each piece of work on a package. Those of this process who want the same lock stand in line for it
 * here, so that each process asks for it once at a time, and the lock service has to bear processes, not customers.
 */
export class Locks {
  readonly #options: LocksOptions;
  readonly #turns = new Map<number, Turns>();
  #isReachable = false;

  constructor(options: LocksOptions) {
    this.#options = options;
  }

  /** Whether the lock service answered last time; false until it has. */
  get isReachable(): boolean {
    return this.#isReachable;
  }

  /**
   * Works under the lock once it is there. Does nothing when it is not wanted any more by then.
   * @throws LocksUnavailableError when the lock service cannot be reached.
   */
  under(packageId: number, isWanted: () => Promise<boolean>, work: LockedWork): Promise<void> {
    const turns = this.#turnsOf(packageId);
    return turns.limit(async () => {
      if (!(await isWanted())) return;
      const { clock } = this.#options;
      const lease = await this.#acquire(packageId, isWanted);
      if (lease === undefined) return;
      turns.since ??= clock.now();
      await this.#hold(lease, work);
      if (turns.limit.pendingCount === 0) {
        turns.since = undefined;
      } else if (clock.now() - turns.since > streakMs) {
        await clock.sleep(yieldMs, this.#options.closing);
        turns.since = undefined;
      }
    });
  }

  /** Works under the lock if nobody holds it at this moment. */
  async ifFree(packageId: number, work: LockedWork): Promise<void> {
    const { limit } = this.#turnsOf(packageId);
    if (limit.activeCount + limit.pendingCount > 0) return;
    await limit(async () => {
      const lease = await this.#ask(packageId).catch(() => undefined);
      if (lease !== undefined) await this.#hold(lease, work);
    });
  }

  async #hold(lease: Lease, work: LockedWork): Promise<void> {
    try {
      await work(AbortSignal.any([lease.lost, this.#options.closing]));
    } finally {
      await lease.release();
    }
  }

  async #acquire(packageId: number, isWanted: () => Promise<boolean>): Promise<Lease | undefined> {
    const { clock, random, closing } = this.#options;
    let failingSince: number | undefined;
    do {
      try {
        const lease = await this.#ask(packageId);
        if (lease !== undefined) return lease;
        failingSince = undefined;
      } catch (error) {
        failingSince ??= clock.now();
        if (clock.now() - failingSince > failingMaxMs)
          throw new LocksUnavailableError('no lock', { cause: error });
      }
      await clock.sleep(retryMs * (0.5 + random.fraction()), closing);
    } while (!closing.aborted && (await isWanted()));
    return undefined;
  }

  async #ask(packageId: number): Promise<Lease | undefined> {
    try {
      const lease = await this.#options.leases.acquire(packageId);
      this.#isReachable = true;
      return lease;
    } catch (error) {
      this.#isReachable = false;
      throw error;
    }
  }

  #turnsOf(packageId: number): Turns {
    let turns = this.#turns.get(packageId);
    if (turns === undefined) {
      turns = { limit: pLimit(1), since: undefined };
      this.#turns.set(packageId, turns);
    }
    return turns;
  }
}

/** The lock service cannot be reached: nothing was done. */
export class LocksUnavailableError extends Error {
  override readonly name = 'LocksUnavailableError';
}
