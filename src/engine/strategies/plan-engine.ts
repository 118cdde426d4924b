import type { Erasure, PackageAmendment } from '../../domain/change.ts';
import { keyAnswer, type PackageRules } from '../../domain/decide.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import { orderIdBytes, orderIdFrom } from '../../domain/ids.ts';
import type { Answer, OrderAnswer, PackageMessage, Purchase } from '../../domain/messages.ts';
import { isSettled, type Order } from '../../domain/order.ts';
import { type PackageSnapshot, type TravelPackage, untouched } from '../../domain/travel-package.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import type { Log } from '../../observability/log.ts';
import { type Metrics, noMetrics } from '../../observability/metrics.ts';
import type { LiveBus } from '../../realtime/live-bus.ts';
import { type Store, StoreUnavailableError } from '../../storage/store.ts';
import type { Suppliers } from '../../suppliers/suppliers.ts';
import { answerOf, refused } from '../answers.ts';
import { Catalogue } from '../catalogue.ts';
import type { PurchaseRequest, Refused, Settling } from '../engine.ts';
import { Lines } from '../lines.ts';
import { Readiness } from '../missing.ts';
import type { Amended, EngineLoad, ErasureDone, OperatedEngine } from '../operated-engine.ts';
import { Outcomes } from '../outcomes.ts';
import { Finisher } from './finisher.ts';
import {
  ContendedError,
  type Transaction,
  Transactor,
  type TransactorOptions,
  UnknownPackageError,
} from './transactor.ts';

export interface PlanOptions {
  readonly store: Store;
  readonly suppliers: Suppliers;
  readonly liveBus: LiveBus;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics?: Metrics;
  readonly rules: Pick<PackageRules, 'waitersPerUnit' | 'ordersPerEmail'>;
  /** See {@link Catalogue}. */
  readonly snapshotMaxAgeMs: number;
  /** How long a caller may wait until its order is stored, in ms; default 8,000. */
  readonly patienceMs?: number;
}

/** How long draining lets go on what is being booked. */
const drainMs = 1_000;

/** What the two plans have in common: everything but how an order gets its unit. */
export abstract class PlanEngine implements OperatedEngine {
  protected readonly options: PlanOptions;
  protected readonly patienceMs: number;
  protected readonly transactor: Transactor;
  protected readonly finisher: Finisher;
  protected readonly catalogue: Catalogue;
  protected isDraining = false;
  readonly #lines: Lines;
  readonly #outcomes: Outcomes;
  readonly #readiness: Readiness;
  readonly #closing = new AbortController();
  readonly #background = new Set<Promise<void>>();
  /** Orders that operators have had tried again. */
  readonly #retrying = new Set<string>();

  constructor(options: PlanOptions, strategy: Pick<TransactorOptions, 'rules' | 'gateOpen' | 'onLine'>) {
    const { store, suppliers, liveBus, clock, random, log, snapshotMaxAgeMs, patienceMs = 8_000 } = options;
    const metrics = options.metrics ?? noMetrics;
    this.options = options;
    this.patienceMs = patienceMs;
    this.transactor = new Transactor({ store, liveBus, clock, random, metrics, ...strategy });
    this.finisher = new Finisher({ transactor: this.transactor, suppliers, clock, log, metrics });
    this.catalogue = new Catalogue({ store, liveBus, clock, maxAgeMs: snapshotMaxAgeMs });
    this.#lines = new Lines(liveBus);
    this.#outcomes = new Outcomes(store, liveBus, clock);
    this.#readiness = new Readiness({ store, clock });
  }

  async start(): Promise<void> {
    await this.catalogue.all();
  }

  purchase(request: PurchaseRequest): Promise<OrderAnswer> {
    return answered(async () => {
      if (this.isDraining) return refused('no_owner');
      return (await this.early(request)) ?? this.buy(request);
    });
  }

  abstract cancel(order: Order): Promise<OrderAnswer>;

  async outcome(order: Order, settling: Settling): Promise<Order> {
    if (isSettled(order)) return order;
    const present = await this.options.store.order(order.id).catch(() => undefined);
    return this.#outcomes.wait(present ?? order, settling);
  }

  order(id: string): Promise<Order | undefined> {
    return this.options.store.order(id);
  }

  orders(ids: readonly string[]): Promise<Order[]> {
    return this.options.store.orders(ids);
  }

  ordersByKey(packageId: number, keys: readonly string[]): Promise<Order[]> {
    return this.options.store.ordersByKey(packageId, keys);
  }

  placeInLine(order: Order): number | undefined {
    return this.#lines.place(order.packageId, order.number);
  }

  packages(): Promise<readonly PackageSnapshot[]> {
    return this.catalogue.all();
  }

  package(id: number): Promise<PackageSnapshot | undefined> {
    return this.catalogue.get(id);
  }

  get suppliersAvailable(): boolean {
    return this.options.suppliers.available;
  }

  missing(): Promise<string[]> {
    const { isDraining, isCarrierAvailable } = this;
    return this.#readiness.missing({ isDraining, isCarrierAvailable });
  }

  /** What is not finished in a second is left to whoever looks after the package next. */
  async drain(): Promise<void> {
    this.isDraining = true;
    const over = new AbortController();
    const all = Promise.all(this.#background).then(() => over.abort());
    await this.options.clock.sleep(drainMs, over.signal);
    this.#closing.abort();
    await all;
    await Promise.all(this.#background);
  }

  /** Whoever still waits for an outcome gets the order as it stands. */
  close(): void {
    this.#closing.abort();
    this.#outcomes.close();
    this.catalogue.close();
    this.#lines.close();
  }

  amend(packageId: number, change: PackageAmendment): Promise<Amended | Refused> {
    const message = { kind: 'amend', ...change, ...this.unheard() } as const;
    return answered(async () => answerOf('amended', await this.ask(packageId, message)));
  }

  erase(packageId: number, email: string, erasures: readonly Erasure[]): Promise<ErasureDone | Refused> {
    const message = { kind: 'erase', email, erasures, ...this.unheard() } as const;
    return answered(async () => answerOf('erased', await this.ask(packageId, message)));
  }

  /** Whoever has it in hand already goes on with it: the first to commit decides. */
  retry({ id }: Order): Promise<OrderAnswer> {
    return answered(async () => {
      const order = await this.order(id);
      if (order === undefined) return refused('unknown_order');
      if (isSettled(order)) return refused('not_retryable', order);
      this.tryNow(order);
      return { kind: 'accepted', order };
    });
  }

  added(travelPackage: TravelPackage): void {
    const figures = untouched(travelPackage.quota);
    this.options.liveBus.publishPackage({ package: travelPackage, figures });
  }

  removed(packageId: number): void {
    this.options.liveBus.publishRemoved(packageId);
  }

  /** Packages have no owner here. */
  load(): EngineLoad {
    return { packages: [], sagas: this.#background.size, isDraining: this.isDraining };
  }

  /** Has an order that is not finished looked after at once. */
  protected tryNow(order: Order): void {
    const { id } = order;
    if (this.#retrying.has(id)) return;
    this.#retrying.add(id);
    const finished = this.finisher.finish(order, this.closing).finally(() => this.#retrying.delete(id));
    this.spawn(finished, `finishing order ${id}`);
  }

  /** Has one message decided and stored until its deadline. `overloaded` when the transaction was not wanted. */
  protected async ask(
    packageId: number,
    message: Extract<PackageMessage, { caller: unknown }>,
    transaction: Pick<Transaction, 'wanted' | 'isWanted'> = {},
  ): Promise<Answer> {
    const until = message.deadlineAt;
    const answer = await this.transactor.ask(message, { packageId, until, ...transaction });
    return answer ?? refused('overloaded');
  }

  /** What a message carries whose answer is returned instead of told. */
  protected unheard(): Pick<Purchase, 'deadlineAt' | 'caller'> {
    return { deadlineAt: this.options.clock.now() + this.patienceMs, caller: () => {} };
  }

  /** Stores an order, after `early` had no answer. */
  protected abstract buy(request: PurchaseRequest): Promise<OrderAnswer>;
  /** Why a package takes no purchase, by a snapshot that may be some ms old. */
  protected abstract earlyObstacle(snapshot: PackageSnapshot, now: number): ErrorCode | undefined;
  protected abstract readonly isCarrierAvailable: boolean;

  /** Aborts when this engine stops. */
  protected get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** Goes on while the caller has its answer; what fails then is logged. */
  protected spawn(work: Promise<unknown>, what: string): void {
    const task = work.then(
      () => {},
      (err: unknown) => this.options.log.error({ err }, `${what} failed`),
    );
    this.#background.add(task);
    void task.finally(() => this.#background.delete(task));
  }

  /** An answer that needs no commit: what the key led to before, or a refusal by a fresh snapshot. */
  protected async early(request: PurchaseRequest): Promise<OrderAnswer | undefined> {
    const snapshot = await this.catalogue.get(request.packageId);
    if (snapshot === undefined) return refused('unknown_package');
    const known = await this.#known(request);
    if (known !== undefined) return known;
    const code = this.earlyObstacle(snapshot, this.options.clock.now());
    return code === undefined ? undefined : refused(code);
  }

  protected newOrderId(): string {
    return orderIdFrom(this.options.random.bytes(orderIdBytes));
  }

  /** Rule Q7: a winner who lost the reply hears of the win, also when everything is sold. */
  async #known({ packageId, email, key }: PurchaseRequest): Promise<OrderAnswer | undefined> {
    if (key === undefined) return undefined;
    const [order] = await this.options.store.ordersByKey(packageId, [key]);
    return keyAnswer(order, email);
  }
}

/** Operating errors as refusals. */
export async function answered<T>(work: () => Promise<T | Refused>): Promise<T | Refused> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StoreUnavailableError) return refused('store_unavailable');
    if (error instanceof UnknownPackageError) return refused('unknown_package');
    if (error instanceof ContendedError) return refused('overloaded');
    throw error;
  }
}
