import type { PackageRules } from '../domain/decide.ts';
import type { ErrorCode } from '../domain/errors.ts';
import type { Answer, Erasure, OrderAnswer, PackageUpdate } from '../domain/messages.ts';
import { isSettled, type Order, orderIdBytes, orderIdFrom } from '../domain/order.ts';
import { keyAnswer, saleObstacle } from '../domain/refusals.ts';
import { fullInventory, type PackageSnapshot, type TravelPackage } from '../domain/travel-package.ts';
import type { Clock } from '../lib/clock.ts';
import type { Random } from '../lib/random.ts';
import type { LiveBus } from '../realtime/live-bus.ts';
import type { Store } from '../storage/store.ts';
import type { Suppliers } from '../suppliers/suppliers.ts';
import type { Command } from './commands.ts';
import { answerOf } from './commands.ts';
import type { EstimatedWait, PackagesPage, PackagesQuery, PurchaseRequest, Settling } from './engine.ts';
import { Outcomes, PackageCache } from './live-caches.ts';
import type { EngineLoad, OperatedEngine, Result } from './operated-engine.ts';
import { QueuePositions } from './queue-positions.ts';
import { Readiness, type ReadinessOptions } from './readiness.ts';

export interface ShellOptions {
  readonly store: Store;
  readonly suppliers: Suppliers;
  readonly liveBus: LiveBus;
  readonly clock: Clock;
  readonly random: Random;
  readonly rules: Pick<PackageRules, 'waitersPerUnit' | 'waitersMax' | 'ordersPerEmail'>;
  /** See {@link PackageCache}. */
  readonly snapshotMaxAgeMs: number;
  /** The time within which a command must be stored, in ms; default 8,000. */
  readonly commandTimeoutMs?: number;
}

/** The part that all engines share: reads, waiting for outcomes, and commands of operators. */
export abstract class EngineShell<Options extends ShellOptions> implements OperatedEngine {
  protected readonly options: Options;
  protected readonly commandTimeoutMs: number;
  readonly cachedPackages: PackageCache;
  protected readonly outcomes: Outcomes;
  protected isDraining = false;
  readonly #queuePositions: QueuePositions;
  readonly #readiness: Readiness;

  /** @param leases the lease service, if packages are owned by leases. The engine is not ready unless it answers. */
  constructor(options: Options, leases?: ReadinessOptions['leases']) {
    const { store, liveBus, clock, snapshotMaxAgeMs, commandTimeoutMs = 8_000 } = options;
    this.options = options;
    this.commandTimeoutMs = commandTimeoutMs;
    this.cachedPackages = new PackageCache({ store, liveBus, clock, maxAgeMs: snapshotMaxAgeMs });
    this.outcomes = new Outcomes(store, liveBus, clock);
    this.#queuePositions = new QueuePositions(liveBus, clock);
    this.#readiness = new Readiness({ store, clock, ...(leases === undefined ? {} : { leases }) });
  }

  abstract purchase(request: PurchaseRequest): Promise<OrderAnswer>;
  abstract cancel(order: Order): Promise<OrderAnswer>;
  abstract retry(order: Order): Promise<OrderAnswer>;
  abstract load(): EngineLoad;
  abstract drain(): Promise<void>;

  /** Decides a command, and stores its change. */
  protected abstract send(packageId: number, command: Command): Promise<Answer>;
  /** The current version of the order, which may have changed since the caller read it. */
  protected abstract latest(order: Order): Promise<Order>;
  /** Withdraws a queued order without a key, because its caller hung up. */
  protected abstract withdraw(order: Order): void;
  protected abstract readonly isTransportAvailable: boolean;

  async start(): Promise<void> {
    await this.cachedPackages.start();
  }

  async outcome(order: Order, settling: Settling): Promise<Order> {
    if (isSettled(order)) return order;
    const latest = await this.outcomes.wait(await this.latest(order), settling);
    if (settling.gone?.aborted === true && latest.key === undefined && !isSettled(latest)) {
      this.withdraw(latest);
    }
    return latest;
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

  queuePosition(order: Order): number | undefined {
    return this.#queuePositions.position(order.packageId, order.number);
  }

  estimatedWait(packageId: number, position: number): EstimatedWait | undefined {
    const isPaused = this.cachedPackages.peek(packageId)?.package.paused === true;
    if (isPaused || !this.suppliersAvailable(packageId)) return undefined;
    return this.#queuePositions.estimatedWait(packageId, position);
  }

  packages(query: PackagesQuery): Promise<PackagesPage> {
    return this.cachedPackages.page(query);
  }

  package(id: number): Promise<PackageSnapshot | undefined> {
    return this.cachedPackages.get(id);
  }

  suppliersAvailable(packageId: number): boolean {
    return this.options.suppliers.available(packageId);
  }

  get suppliersMostlyAvailable(): boolean {
    return this.options.suppliers.isMostlyAvailable;
  }

  readinessProblems(): Promise<string[]> {
    const { isDraining, isTransportAvailable } = this;
    return this.#readiness.problems({ isDraining, isTransportAvailable });
  }

  async updatePackage(packageId: number, change: PackageUpdate): Promise<Result<TravelPackage>> {
    const answer = answerOf('updated', await this.send(packageId, { kind: 'update', ...change }));
    return answer.kind === 'refused' ? answer : { kind: 'done', value: answer.package };
  }

  async erase(
    packageId: number,
    email: string,
    erasures: readonly Erasure[],
  ): Promise<Result<{ readonly left: number }>> {
    const answer = answerOf('erased', await this.send(packageId, { kind: 'erase', email, erasures }));
    return answer.kind === 'refused' ? answer : { kind: 'done', value: { left: answer.left } };
  }

  added(travelPackage: TravelPackage): void {
    const inventory = fullInventory(travelPackage.quota);
    this.options.liveBus.publishPackage({ package: travelPackage, inventory });
  }

  removed(packageId: number): void {
    this.options.liveBus.publishRemoved(packageId);
  }

  /** Answers the callers that still wait for an outcome with the current state of their orders. */
  close(): void {
    this.outcomes.close();
    this.cachedPackages.close();
    this.#queuePositions.close();
  }

  /**
   * The stored answer for the key of a purchase, so that a lost reply can be repeated even after a sell-out (rule Q7).
   */
  protected async answerByKey({ packageId, email, key }: PurchaseRequest): Promise<OrderAnswer | undefined> {
    if (key === undefined) return undefined;
    const [order] = await this.options.store.ordersByKey(packageId, [key]);
    return keyAnswer(order, email);
  }

  /** The reason why a package accepts no purchase, judged by a snapshot that may be some ms old. */
  protected obstacle({ package: travelPackage, inventory }: PackageSnapshot): ErrorCode | undefined {
    const { clock, rules } = this.options;
    const areAvailable = this.suppliersAvailable(travelPackage.id);
    return saleObstacle(travelPackage, inventory, clock.now(), rules, areAvailable);
  }

  protected newOrderId(): string {
    const { clock, random } = this.options;
    return orderIdFrom(clock.now(), random.bytes(orderIdBytes));
  }
}
