import { defaultRejectionsMax, type PackageRules } from '../../domain/decide.ts';
import { type Order, owedStatuses } from '../../domain/order.ts';
import { noQueue } from '../../domain/travel-package.ts';
import type { Clock } from '../../lib/clock.ts';
import { settlesWithin } from '../../lib/deadline.ts';
import { LogOnce } from '../../lib/log-once.ts';
import type { Random } from '../../lib/random.ts';
import type { Log } from '../../observability/log.ts';
import { type Metrics, noMetrics } from '../../observability/metrics.ts';
import type { LiveBus } from '../../realtime/live-bus.ts';
import { SagaRunner } from '../../saga/saga-runner.ts';
import { type Store, StoreUnavailableError, UnreadableError } from '../../storage/store.ts';
import type { Suppliers } from '../../suppliers/suppliers.ts';
import { ContendedError } from '../commands.ts';
import { StoredQueuePublisher } from '../queue-positions.ts';
import { LeftOrders } from '../strategies/left-orders.ts';
import { OptimisticTransactions, type TransactionResult } from '../strategies/optimistic-transactions.ts';
import { UnownedSagas } from '../strategies/unowned-sagas.ts';
import type { WorkQueue } from './work-queue.ts';

export interface ConsumerOptions {
  readonly store: Store;
  readonly workQueue: WorkQueue;
  readonly suppliers: Suppliers;
  readonly liveBus: LiveBus;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics?: Metrics;
  /** An order without progress for this many ms counts as abandoned by its consumer; default 10,000. */
  readonly abandonedAfterMs?: number;
}

/** Timeout of a pop, by state: busy, waiting for units that other consumers hold, or idle. */
const popMs = { busy: 0, waiting: 50, idle: 500 } as const;
/** Intervals between scans of the store: the normal one, and a shorter one while the list is empty. */
const rescanMs = 5_000;
const rescanWhileIdleMs = 1_000;
const pauseAfterErrorMs = 200;
/** A booking that takes longer than this many ms continues beside the loop. */
const besideAfterMs = 1_000;
/** A package that other processes or an open transaction keep locked for this many ms is left for the next round. */
const lockedMs = 200;
/** The longest time that `stop` waits for the current bookings. */
const graceMs = 10_000;

/** Result of serving a package once: an order was served, the queue is empty, or no order could be served. */
type Served = 'done' | 'empty' | 'waiting';

/**
 * The consumer of the queue engine: pops one order id after the other and books an order, without a lock. A popped id
 * only selects the package to serve. A unit goes to the order with the lowest number in the package's queue, so the
 * sequence of the list does not matter (rule Q5). Several consumers may run, because each commit is conditional on a
 * free unit.
 */
export class Consumer {
  readonly #options: ConsumerOptions;
  readonly #transactions: OptimisticTransactions;
  readonly #sagas: UnownedSagas;
  /** Held and owed orders are read apart, so that orders of one kind cannot hide those of the other. */
  readonly #left: readonly LeftOrders[];
  /** The bookings under way, by package: one for each package at most. */
  readonly #bookings = new Map<number, Promise<void>>();
  /** Packages whose queue must be served next. */
  readonly #due = new Set<number>();
  readonly #closing = new AbortController();
  #isStopping = false;
  #running: Promise<void> | undefined;
  #rescannedAt = Number.NEGATIVE_INFINITY;
  /**
   * False before the first scan. The first scan counts all orders as abandoned, because this consumer has begun none.
   */
  #hasRescanned = false;
  readonly #problems = new LogOnce();

  constructor(options: ConsumerOptions) {
    const { store, liveBus, clock, random, suppliers, log, metrics = noMetrics } = options;
    this.#options = options;
    const queuePublisher = new StoredQueuePublisher({ store, liveBus, clock });
    const onQueueChange = (packageId: number) => queuePublisher.changed(packageId);
    this.#transactions = new OptimisticTransactions({
      ...{ store, liveBus, clock, random, metrics, onQueueChange },
      rules: { ...noQueue, ordersPerEmail: 0, claimsMax: 1, rejectionsMax: 0 },
      suppliersAvailable: (packageId) => suppliers.available(packageId),
    });
    const runner = new SagaRunner({ suppliers, clock, metrics });
    this.#left = [new LeftOrders(store, ['held']), new LeftOrders(store, owedStatuses)];
    const { signal: closing } = this.#closing;
    this.#sagas = new UnownedSagas({ runner, transactions: this.#transactions, clock, log, closing });
  }

  /** Whether it takes no further orders. */
  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** Runs until it is stopped. */
  run(): Promise<void> {
    this.#running ??= this.#loop();
    return this.#running;
  }

  /** Finishes the current bookings, for ten seconds at most. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    const finished = new AbortController();
    const running = (this.#running ?? Promise.resolve())
      .then(() => Promise.all(this.#bookings.values()))
      .finally(() => finished.abort());
    await this.#options.clock.sleep(graceMs, finished.signal);
    this.#closing.abort();
    await running;
    await this.#sagas.idle();
  }

  async #loop(): Promise<void> {
    const { clock } = this.#options;
    while (!this.#isStopping) {
      try {
        await this.#round();
        this.#problems.end();
      } catch (error) {
        this.#logProblem(error);
        await clock.sleep(pauseAfterErrorMs, this.#closing.signal);
      }
    }
  }

  async #round(): Promise<void> {
    if (this.#isRescanDue(rescanMs)) await this.#rescan();
    const state = await this.#serveDue();
    if (this.#isStopping) return;
    const popped = await this.#pop(popMs[state]);
    const order = popped === undefined ? undefined : await this.#options.store.order(popped);
    if (order !== undefined) this.#due.add(order.packageId);
    else if (state === 'idle' && this.#isRescanDue(rescanWhileIdleMs)) await this.#rescan();
  }

  /** Serves each due package once. */
  async #serveDue(): Promise<keyof typeof popMs> {
    let isBusy = false;
    for (const packageId of this.#due) {
      if (this.#isStopping) break;
      if (this.#bookings.has(packageId)) continue;
      const served = await this.#serve(packageId).catch(waitingIfContended).catch(emptyIfUnreadable);
      if (served === 'empty') this.#due.delete(packageId);
      isBusy ||= served === 'done';
    }
    return isBusy ? 'busy' : this.#due.size > 0 ? 'waiting' : 'idle';
  }

  async #serve(packageId: number): Promise<Served> {
    const { versioned, step } = await this.#tick(packageId, 1);
    const held = step.effects.find((effect) => effect.kind === 'book');
    if (held !== undefined) {
      await this.#book(held.order, true);
      return 'done';
    }
    if (versioned.orders.length === 0) return 'empty';
    const isSoldOut = step.effects.some((effect) => effect.kind === 'continue');
    return isSoldOut ? this.#refuse(packageId) : 'waiting';
  }

  async #refuse(packageId: number): Promise<Served> {
    const rejectionsMax = defaultRejectionsMax;
    await this.#tick(packageId, rejectionsMax, { claimsMax: 0, rejectionsMax });
    return 'done';
  }

  /**
   * Decides about the first orders of the queue.
   * @throws ContendedError if the package is locked.
   */
  #tick(packageId: number, max: number, rules: Partial<PackageRules> = {}): Promise<TransactionResult> {
    return this.#transactions.run({
      packageId,
      rules,
      wanted: { statuses: ['queued'], max },
      messages: () => [{ kind: 'tick' }],
      until: this.#options.clock.monotonic() + lockedMs,
    });
  }

  #isRescanDue(afterMs: number): boolean {
    return this.#options.clock.monotonic() - this.#rescannedAt >= afterMs;
  }

  /** Finds queued orders that the list has lost, and finishes abandoned orders. */
  async #rescan(): Promise<void> {
    const { store, clock } = this.#options;
    this.#rescannedAt = clock.monotonic();
    for (const packageId of await store.packagesWithUnfinished()) {
      this.#due.add(packageId);
      for (const left of this.#left) {
        const versioned = await left.next(packageId).catch(emptyIfUnreadable);
        if (versioned === 'empty') break;
        for (const order of versioned?.orders ?? []) {
          if (this.#isStopping) return;
          if (!this.#isAbandoned(order)) continue;
          if (order.status !== 'held') void this.#sagas.compensate(order);
          else if (!this.#bookings.has(packageId)) await this.#book(order);
        }
      }
    }
    this.#hasRescanned = true;
  }

  /**
   * Books a held order. A booking that hangs continues beside the loop, and only its own package waits for its end.
   * Compensations always run beside the loop.
   */
  async #book(order: Order, isFirst = false): Promise<void> {
    const { packageId } = order;
    const booking = this.#sagas
      .book(order, this.#closing.signal, { isFirst })
      .then((latest) => void this.#sagas.compensate(latest))
      .catch((error: unknown) => {
        if (!(error instanceof UnreadableError)) this.#logProblem(error);
      })
      .finally(() => this.#bookings.delete(packageId));
    this.#bookings.set(packageId, booking);
    await settlesWithin(besideAfterMs, booking, this.#options.clock);
  }

  /**
   * An order whose last step is far in the future counts as abandoned too: the clock was set back since, or the clock of
   * the other consumer is ahead. Two consumers may work on one order, so a mistake only costs work.
   */
  #isAbandoned({ timeline, createdAt }: Order): boolean {
    const { clock, abandonedAfterMs = 10_000 } = this.#options;
    const ageMs = clock.now() - (timeline.at(-1)?.at ?? createdAt);
    return !this.#hasRescanned || Math.abs(ageMs) > abandonedAfterMs;
  }

  /** Pops an id. While the list is away, the scans of the store find the orders. */
  async #pop(timeoutMs: number): Promise<string | undefined> {
    try {
      return await this.#options.workQueue.pop(timeoutMs);
    } catch (error) {
      this.#logProblem(error);
      await this.#options.clock.sleep(Math.max(timeoutMs, pauseAfterErrorMs), this.#closing.signal);
      return undefined;
    }
  }

  #logProblem(error: unknown): void {
    if (this.#closing.signal.aborted) return;
    const isPassing = error instanceof StoreUnavailableError || error instanceof ContendedError;
    this.#problems.report(String(error), () =>
      this.#options.log[isPassing ? 'warn' : 'error'](
        { err: error },
        'the consumer is held up and tries again',
      ),
    );
  }
}

/** A package that cannot be read is left alone until the next scan, and the others are served. */
function emptyIfUnreadable(error: unknown): 'empty' {
  if (error instanceof UnreadableError) return 'empty';
  throw error;
}

/** A package that is locked waits, and the others are served. */
function waitingIfContended(error: unknown): 'waiting' {
  if (error instanceof ContendedError) return 'waiting';
  throw error;
}
