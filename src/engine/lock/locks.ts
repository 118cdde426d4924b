import pLimit, { type LimitFunction } from 'p-limit';
import type { Lease, Leases } from '../../cluster/lease.ts';
import type { OrderAnswer } from '../../domain/messages.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import { refused } from '../commands.ts';

export interface LocksOptions {
  readonly leases: Leases;
  readonly clock: Clock;
  readonly random: Random;
  /** Once this signal aborts, no further lock is taken. */
  readonly closing: AbortSignal;
}

/** The work under a lock. The signal aborts when the lock may be lost, or the process stops. */
export type LockedWork = (signal: AbortSignal) => Promise<void>;

/** Average pause between two attempts to take a lock that another process holds. */
const retryMs = 10;
/** The lock service counts as away after failing for this long. */
const failingMaxMs = 1_500;
/** After taking the same lock again and again for this long, a process pauses to let others take it. */
const streakMs = 200;
const yieldMs = 20;

interface Turns {
  readonly limit: LimitFunction;
  /** Start of the current streak of taking the lock, in ms on the monotonic clock. */
  since: number | undefined;
}

/**
 * Runs work on a package under its lock. Callers of this process wait for the same lock in a local queue, so each
 * process asks the lock service for it once at a time. The load of the lock service grows with the number of processes,
 * not of customers.
 */
export class Locks {
  readonly #options: LocksOptions;
  readonly #turns = new Map<number, Turns>();
  #isReachable = false;

  constructor(options: LocksOptions) {
    this.#options = options;
  }

  /** Whether the lock service answered the last request; false before the first answer. */
  get isReachable(): boolean {
    return this.#isReachable;
  }

  /**
   * Waits for the lock and runs the work. Does nothing if the work is no longer wanted when the lock is free.
   * @throws LocksUnavailableError when the lock service cannot be reached.
   */
  under(packageId: number, isWanted: () => Promise<boolean>, work: LockedWork): Promise<void> {
    const turns = this.#turnsOf(packageId);
    return turns.limit(async () => {
      if (!(await isWanted())) return;
      const { clock } = this.#options;
      const lease = await this.#acquire(packageId, isWanted);
      if (lease === undefined) return;
      turns.since ??= clock.monotonic();
      await this.#hold(lease, work);
      if (turns.limit.pendingCount === 0) {
        turns.since = undefined;
      } else if (clock.monotonic() - turns.since > streakMs) {
        await clock.sleep(yieldMs, this.#options.closing);
        turns.since = undefined;
      }
    });
  }

  /** Runs the work under the lock, if the lock is free now. */
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
        failingSince ??= clock.monotonic();
        if (clock.monotonic() - failingSince > failingMaxMs)
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

/** The lock service cannot be reached. Nothing was done. */
export class LocksUnavailableError extends Error {
  override readonly name = 'LocksUnavailableError';
}

/**
 * A caller that waits for a lock. The caller is answered once: by the work under the lock, or with `overloaded` if the
 * timeout ends before the work begins. Work that has begun has no timeout, because `overloaded` promises that nothing
 * is stored.
 */
export class WaitingCaller {
  readonly answer: Promise<OrderAnswer>;
  readonly #resolve: (answer: OrderAnswer) => void;
  readonly #reject: (error: unknown) => void;
  readonly #timeout = new AbortController();
  #isServed = false;
  #isOver = false;

  /** @param gone aborts when a caller without a key hangs up */
  constructor(clock: Clock, timeoutMs: number, gone?: AbortSignal) {
    const { promise, resolve, reject } = Promise.withResolvers<OrderAnswer>();
    this.answer = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    const giveUp = () => {
      if (!this.#isServed) this.reply(refused('overloaded'));
    };
    if (gone?.aborted === true) giveUp();
    gone?.addEventListener('abort', giveUp, { signal: this.#timeout.signal });
    void clock.sleep(timeoutMs, this.#timeout.signal).then(giveUp);
  }

  /** Whether the caller has its answer. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Ends the timeout, because the work begins. False if the timeout has already passed, and nothing may be stored. */
  serve(): boolean {
    if (!this.#isOver) this.#isServed = true;
    return this.#isServed;
  }

  reply(answer: OrderAnswer): void {
    this.#end();
    this.#resolve(answer);
  }

  fail(error: unknown): void {
    this.#end();
    this.#reject(error);
  }

  #end(): void {
    this.#isOver = true;
    this.#timeout.abort();
  }
}
