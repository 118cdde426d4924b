import type { Answer, OrderAnswer } from '../../domain/messages.ts';
import { isSettled, type Order } from '../../domain/order.ts';
import { cancelAnswer } from '../../domain/refusals.ts';
import type { Log } from '../../observability/log.ts';
import { type Metrics, noMetrics } from '../../observability/metrics.ts';
import { SagaRunner } from '../../saga/saga-runner.ts';
import { UnreadableError } from '../../storage/store.ts';
import { answered, type Command, refused } from '../commands.ts';
import type { PurchaseRequest } from '../engine.ts';
import type { EngineLoad } from '../operated-engine.ts';
import { EngineShell, type ShellOptions } from '../shell.ts';
import {
  OptimisticTransactions,
  type Transaction,
  type TransactionOptions,
} from './optimistic-transactions.ts';
import { UnownedSagas } from './unowned-sagas.ts';

export interface StrategyOptions extends ShellOptions {
  readonly log: Log;
  readonly metrics?: Metrics;
}

/** How long a draining engine waits for sagas in progress. */
const drainMs = 1_000;

/** The common part of the lock and queue engines. They differ in how an order gets its unit. */
export abstract class StrategyEngine extends EngineShell<StrategyOptions> {
  protected readonly transactions: OptimisticTransactions;
  protected readonly sagas: UnownedSagas;
  readonly #closing = new AbortController();
  readonly #background = new Set<Promise<void>>();

  constructor(
    options: StrategyOptions,
    strategy: Pick<TransactionOptions, 'rules' | 'suppliersAvailable' | 'onQueueChange'>,
  ) {
    super(options);
    const { store, suppliers, liveBus, clock, random, log } = options;
    const metrics = options.metrics ?? noMetrics;
    this.transactions = new OptimisticTransactions({ store, liveBus, clock, random, metrics, ...strategy });
    const runner = new SagaRunner({ suppliers, clock, metrics });
    const { transactions, closing } = this;
    this.sagas = new UnownedSagas({ runner, transactions, clock, log, closing });
  }

  purchase(request: PurchaseRequest): Promise<OrderAnswer> {
    return answered(async () => {
      if (this.isDraining) return refused('no_owner');
      return (await this.early(request)) ?? this.buy(request);
    });
  }

  cancel(order: Order): Promise<OrderAnswer> {
    return answered(async () => {
      const stored = await this.order(order.id);
      const early =
        stored === undefined ? refused('unknown_order') : cancelAnswer(stored, this.options.clock.now());
      return early ?? this.storeCancel(order);
    });
  }

  /** Waits a second for sagas in progress. The next process finishes the remaining sagas. */
  async drain(): Promise<void> {
    this.isDraining = true;
    const over = new AbortController();
    const all = this.#idle().then(() => over.abort());
    await this.options.clock.sleep(drainMs, over.signal);
    this.#closing.abort();
    await all;
    await this.#idle();
  }

  override close(): void {
    this.#closing.abort();
    super.close();
  }

  /** Tries an order's next step. Another process may work on the same order, and the first commit decides. */
  retry({ id }: Order): Promise<OrderAnswer> {
    return answered(async () => {
      const order = await this.order(id);
      if (order === undefined) return refused('unknown_order');
      if (isSettled(order)) return refused('not_retryable', order);
      this.tryNow(order);
      return { kind: 'accepted', order };
    });
  }

  /** The work of this instance. It lists no packages, because packages have no owner with this engine. */
  load(): EngineLoad {
    return {
      packages: [],
      sagas: this.#background.size + this.sagas.compensations,
      isDraining: this.isDraining,
    };
  }

  /** Finishes an order at once, in the background. */
  protected tryNow(order: Order): void {
    const { id } = order;
    const booked = this.sagas.book(order, this.closing, { isUrgent: true });
    const finished = booked.then((latest) => void this.sagas.compensate(latest, true));
    this.spawn(finished, `finishing order ${id}`);
  }

  /** Decides a command and stores its change; undefined if the transaction was not wanted. */
  protected ask(
    packageId: number,
    command: Command,
    isWanted?: Transaction['isWanted'],
  ): Promise<Answer | undefined> {
    const until = this.options.clock.monotonic() + this.commandTimeoutMs;
    const message = { ...command, deadlineAt: until, caller: () => {} };
    return this.transactions.ask(message, { packageId, until, ...(isWanted && { isWanted }) });
  }

  protected send(packageId: number, command: Command): Promise<Answer> {
    return answered<Answer>(async () => (await this.ask(packageId, command)) ?? refused('overloaded'));
  }

  protected async latest(order: Order): Promise<Order> {
    return (await this.order(order.id).catch(() => undefined)) ?? order;
  }

  /** Stores an order. Called if `early` has no answer. */
  protected abstract buy(request: PurchaseRequest): Promise<OrderAnswer>;
  /** Stores a cancellation. Called if the order can be cancelled. */
  protected abstract storeCancel(order: Order): Promise<OrderAnswer>;

  /** Aborts when this engine stops. */
  protected get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** Runs work in the background and logs its failure. */
  protected spawn(work: Promise<unknown>, what: string): void {
    const task = work.then(
      () => {},
      (err: unknown) => {
        // The store has logged this one.
        if (!(err instanceof UnreadableError)) this.options.log.error({ err }, `${what} failed`);
      },
    );
    this.#background.add(task);
    void task.finally(() => this.#background.delete(task));
  }

  async #idle(): Promise<void> {
    await Promise.all(this.#background);
    await this.sagas.idle();
  }

  /** An answer that needs no commit: the order with the same key, or a refusal based on a fresh snapshot. */
  protected async early(request: PurchaseRequest): Promise<OrderAnswer | undefined> {
    const snapshot = await this.cachedPackages.get(request.packageId);
    if (snapshot === undefined) return refused('unknown_package');
    const known = await this.answerByKey(request);
    if (known !== undefined) return known;
    const code = this.obstacle(snapshot);
    return code === undefined ? undefined : refused(code);
  }
}
