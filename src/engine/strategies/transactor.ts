import pLimit, { type LimitFunction } from 'p-limit';
import type { Change } from '../../domain/change.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import { type Metrics, noMetrics } from '../../observability/metrics.ts';
import type { LiveBus } from '../../realtime/live-bus.ts';
import {
  CommitUnknownError,
  FencedError,
  type OrdersWanted,
  type Present,
  type Store,
  StoreUnavailableError,
} from '../../storage/store.ts';
import { commitEndOf } from '../commit-end.ts';

/** What is to be stored, if anything, and what its caller hears once it is. */
export interface Decision<T> {
  readonly change?: Change | undefined;
  readonly result: T;
}

export interface Limits {
  /** ms since the epoch: no further try begins after it. */
  readonly until?: number;
  /** No further try begins once it aborts. */
  readonly signal?: AbortSignal;
}

export interface TransactorOptions {
  readonly store: Pick<Store, 'present' | 'commit'>;
  readonly liveBus: LiveBus;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics?: Metrics;
  /** Called when a package's line has become another. */
  readonly onLine?: (packageId: number) => void;
}

const pauseFirstMs = 4;
const pauseMaxMs = 200;

/**
 * Changes packages that nobody owns: reads the present, decides, and commits under the fence that was read; whoever
 * was quicker makes it read and decide again. So what is decided always holds of what it is applied to, whoever else
 * writes, and no lock is needed for that (rules Q1, Q3).
 */
export class Transactor {
  readonly #options: TransactorOptions;
  /** One at a time per package: those of this process need not get in each other's way. As many as packages. */
  readonly #turns = new Map<number, LimitFunction>();

  constructor(options: TransactorOptions) {
    this.#options = options;
  }

  /**
   * @param decide may be called several times, also when an earlier change was applied without our knowing.
   * @throws ContendedError when the limits end it.
   * @throws UnknownPackageError when it is not there.
   * @throws StoreUnavailableError when the store cannot be read.
   */
  run<T>(
    packageId: number,
    wanted: OrdersWanted,
    decide: (present: Present, now: number) => Decision<T> | Promise<Decision<T>>,
    limits: Limits = {},
  ): Promise<T> {
    let turns = this.#turns.get(packageId);
    if (turns === undefined) {
      turns = pLimit(1);
      this.#turns.set(packageId, turns);
    }
    return turns(() => this.#tryOn(packageId, wanted, decide, limits));
  }

  async #tryOn<T>(
    packageId: number,
    wanted: OrdersWanted,
    decide: (present: Present, now: number) => Decision<T> | Promise<Decision<T>>,
    { until = Number.POSITIVE_INFINITY, signal }: Limits,
  ): Promise<T> {
    const { store, clock, random, metrics = noMetrics } = this.#options;
    for (let pauseMs = pauseFirstMs; ; pauseMs = Math.min(pauseMs * 2, pauseMaxMs)) {
      if (signal?.aborted === true || clock.now() > until)
        throw new ContendedError('no time is left to commit');
      const present = await store.present(packageId, wanted);
      if (present === undefined) throw new UnknownPackageError(`there is no package ${packageId}`);
      const { change, result } = await decide(present, clock.now());
      if (change === undefined) return result;
      const ended = metrics.commit();
      try {
        await store.commit(packageId, present.fence, change);
      } catch (error) {
        ended(commitEndOf(error));
        if (!mayPass(error)) throw error;
        await clock.sleep(random.fraction() * pauseMs, signal);
        continue;
      }
      ended('applied');
      metrics.committed(change);
      this.#publish(present, change);
      return result;
    }
  }

  #publish(before: Present, change: Change): void {
    const { package: replacement, figures, inserted, updated, erased = [] } = change;
    const { liveBus, onLine } = this.#options;
    liveBus.publishPackage({ package: replacement ?? before.package, figures });
    for (const order of updated) liveBus.publishOrder(order);
    for (const order of inserted) liveBus.publishOrder(order);
    for (const order of erased) liveBus.publishOrder(order);
    if (figures.waiting !== before.figures.waiting) onLine?.(before.package.id);
  }
}

/** A commit could not get through in time: others were quicker, or the store was away. */
export class ContendedError extends Error {
  override readonly name = 'ContendedError';
}

/** It never was there, or was removed. */
export class UnknownPackageError extends Error {
  override readonly name = 'UnknownPackageError';
}

function mayPass(error: unknown): boolean {
  return (
    error instanceof FencedError ||
    error instanceof CommitUnknownError ||
    error instanceof StoreUnavailableError
  );
}
