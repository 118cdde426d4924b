import { saleObstacle } from '../../domain/decide.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import { isSettled, type Order } from '../../domain/order.ts';
import type { PackageSnapshot } from '../../domain/travel-package.ts';
import type { Present } from '../../storage/store.ts';
import type { PurchaseRequest, Settling } from '../engine.ts';
import { cancelAnswer, decideCancel } from '../strategies/cancel.ts';
import { join, type Wish } from '../strategies/changes.ts';
import { type Answer, accepted, type Recalled, refused } from '../strategies/judge.ts';
import { answered, PlanEngine, type PlanOptions } from '../strategies/plan-engine.ts';
import { ContendedError, type Decision } from '../strategies/transactor.ts';
import { LineTeller } from './line-teller.ts';
import type { WorkQueue } from './work-queue.ts';

export interface QueueEngineOptions extends PlanOptions {
  readonly workQueue: WorkQueue;
}

interface Newcomer {
  readonly request: PurchaseRequest;
  readonly wish: Wish;
  /** ms since the epoch: nothing is stored for it afterwards. */
  readonly until: number;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/** The most orders that one commit stores. */
const batchMax = 100;

/**
 * Plan B: a purchase is stored as queued, under the package's next number, and its id goes onto a list from which a
 * {@link Consumer} in another process takes one after the other. An id that gets lost is no order lost: consumers
 * look through the store as well.
 */
export class QueueEngine extends PlanEngine {
  readonly #workQueue: WorkQueue;
  /** Those who wait to be stored, by package. */
  readonly #arrived = new Map<number, Newcomer[]>();

  constructor(options: QueueEngineOptions) {
    const { store, liveBus, clock, workQueue } = options;
    const lines = new LineTeller({ store, liveBus, clock });
    super(options, (packageId) => lines.changed(packageId));
    this.#workQueue = workQueue;
  }

  cancel({ id, packageId }: Order): Promise<Answer> {
    return answered(async () => {
      const order = await this.order(id);
      const early = order === undefined ? refused('unknown_order') : cancelAnswer(order);
      if (early !== undefined) return early;
      const limits = { until: this.options.clock.now() + this.patienceMs };
      const answer = await this.transactor.run(packageId, { ids: [id] }, decideCancel, limits);
      if (answer.kind === 'accepted') {
        this.spawn(this.finisher.finish(answer.order, this.closing), `cancelling order ${id}`);
      }
      return answer;
    });
  }

  override async outcome(order: Order, settling: Settling): Promise<Order> {
    const latest = await super.outcome(order, settling);
    if (settling.gone?.aborted === true && latest.key === undefined && !isSettled(latest)) {
      this.spawn(this.#withdraw(latest), `withdrawing order ${latest.id}`);
    }
    return latest;
  }

  protected async buy(request: PurchaseRequest): Promise<Answer> {
    if (!this.#workQueue.available) return refused('no_owner');
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const until = this.options.clock.now() + this.patienceMs;
    const newcomer = { request, wish: this.wish(request), until, resolve, reject };
    const { packageId } = request;
    const arrived = this.#arrived.get(packageId);
    if (arrived !== undefined) {
      arrived.push(newcomer);
    } else {
      this.#arrived.set(packageId, [newcomer]);
      this.spawn(this.#storeAll(packageId), `storing orders of package ${packageId}`);
    }
    return promise;
  }

  protected obstacle(
    { package: travelPackage, figures }: PackageSnapshot,
    now: number,
  ): ErrorCode | undefined {
    const { waitersPerUnit } = this.options.rules;
    return saleObstacle(travelPackage, figures, now, waitersPerUnit, this.suppliersAvailable);
  }

  protected earlyObstacle(snapshot: PackageSnapshot, now: number): ErrorCode | undefined {
    return this.obstacle(snapshot, now);
  }

  protected get isCarrierAvailable(): boolean {
    return this.#workQueue.available;
  }

  /** Those who come while a commit is under way share the next one: they need not contend with each other. */
  async #storeAll(packageId: number): Promise<void> {
    const arrived = this.#arrived.get(packageId) ?? [];
    while (arrived.length > 0) await this.#storeBatch(packageId, arrived.splice(0, batchMax));
    this.#arrived.delete(packageId);
  }

  async #storeBatch(packageId: number, newcomers: readonly Newcomer[]): Promise<void> {
    const now = this.options.clock.now();
    const batch = newcomers.filter(({ until }) => now <= until);
    for (const late of newcomers) if (now > late.until) late.reject(new ContendedError('waited too long'));
    if (batch.length === 0) return;
    try {
      const answers = await this.transactor.run(
        packageId,
        { ids: batch.map(({ wish }) => wish.id) },
        async (present, at) => {
          const requests = batch.map(({ request }) => request);
          return this.#decide(batch, present, await this.recall(packageId, requests), at);
        },
        { until: Math.min(...batch.map(({ until }) => until)) },
      );
      for (const [index, { wish, resolve }] of batch.entries()) {
        const answer = answers[index] as Answer;
        if (answer.kind === 'accepted' && answer.order.id === wish.id) this.#push(wish.id);
        resolve(answer);
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  /** One after the other, each on top of those before. */
  #decide(
    batch: readonly Newcomer[],
    present: Present,
    { byKey, liveByEmail }: Recalled,
    now: number,
  ): Decision<readonly Answer[]> {
    const stored = new Map(present.orders.map((order) => [order.id, order]));
    const inserted: Order[] = [];
    let latest: PackageSnapshot = present;
    const answers = batch.map(({ request, wish }) => {
      const before = stored.get(wish.id);
      if (before !== undefined) return accepted(before);
      const answer = this.judge(request, latest, { byKey, liveByEmail }, now);
      if (answer !== undefined) return answer;
      const step = join(latest, wish, now);
      const order = step.inserted[0] as Order;
      latest = { package: present.package, figures: step.figures };
      inserted.push(order);
      if (order.key !== undefined) byKey.set(order.key, order);
      liveByEmail.set(order.email, (liveByEmail.get(order.email) ?? 0) + 1);
      return accepted(order);
    });
    const change = { figures: latest.figures, inserted, updated: [] };
    return { change: inserted.length === 0 ? undefined : change, result: answers };
  }

  /** Those in the line wait for a consumer to look. */
  protected override tryNow(order: Order): void {
    if (order.status === 'queued') this.#push(order.id);
    else super.tryNow(order);
  }

  #push(orderId: string): void {
    this.#workQueue.push(orderId).catch((err: unknown) => {
      this.options.log.warn(
        { orderId, err },
        'an order could not be pushed: a consumer finds it in the store',
      );
    });
  }

  /** Its caller hung up without a key to come back with. */
  async #withdraw({ id, packageId }: Order): Promise<void> {
    const limits = { signal: this.closing };
    await this.transactor.run<unknown>(
      packageId,
      { ids: [id] },
      (present, now) => {
        const isQueued = present.orders[0]?.status === 'queued';
        return isQueued ? decideCancel(present, now) : { result: undefined };
      },
      limits,
    );
  }
}
