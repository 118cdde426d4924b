import type { OrderAnswer, Purchase } from '../../domain/messages.ts';
import type { Order } from '../../domain/order.ts';
import { answerOf, ContendedError, refused } from '../commands.ts';
import type { PurchaseRequest } from '../engine.ts';
import { StoredQueuePublisher } from '../queue-positions.ts';
import { StrategyEngine, type StrategyOptions } from '../strategies/strategy-engine.ts';
import type { WorkQueue } from './work-queue.ts';

export interface QueueEngineOptions extends StrategyOptions {
  readonly workQueue: WorkQueue;
}

interface Newcomer {
  readonly purchase: Purchase;
  readonly reject: (error: unknown) => void;
}

/** The most orders that one commit stores. */
const batchMax = 100;

/**
 * The queue engine: a purchase is stored as a queued order with the package's next number, and the order's id is pushed
 * to a list. A {@link Consumer} in another process pops the ids. If an id is lost, its order is still found, because
 * consumers also scan the store.
 */
export class QueueEngine extends StrategyEngine {
  readonly #workQueue: WorkQueue;
  /** Purchases that wait to be stored, by package. */
  readonly #arrived = new Map<number, Newcomer[]>();

  constructor(options: QueueEngineOptions) {
    const { store, liveBus, clock, suppliers, workQueue } = options;
    const queuePublisher = new StoredQueuePublisher({ store, liveBus, clock });
    super(options, {
      // Only consumers claim units and reject queued orders.
      rules: { ...options.rules, claimsMax: 0, rejectionsMax: 0 },
      suppliersAvailable: (packageId) => suppliers.available(packageId),
      onQueueChange: (packageId) => queuePublisher.changed(packageId),
    });
    this.#workQueue = workQueue;
  }

  protected async storeCancel({ id, packageId }: Order): Promise<OrderAnswer> {
    const answer = answerOf('accepted', await this.send(packageId, { kind: 'cancel', orderId: id }));
    if (answer.kind === 'accepted') void this.sagas.compensate(answer.order);
    return answer;
  }

  protected withdraw(order: Order): void {
    this.spawn(this.#withdraw(order), `withdrawing order ${order.id}`);
  }

  protected async buy({ packageId, email, key, language }: PurchaseRequest): Promise<OrderAnswer> {
    if (!this.#workQueue.available) return refused('no_owner');
    const { promise, resolve, reject } = Promise.withResolvers<OrderAnswer>();
    const orderId = this.newOrderId();
    const purchase: Purchase = {
      ...{ kind: 'purchase', orderId, email },
      ...(key === undefined ? {} : { key }),
      ...(language === undefined ? {} : { language }),
      deadlineAt: this.options.clock.monotonic() + this.commandTimeoutMs,
      caller: (answer) => {
        if (answer.kind === 'accepted' && answer.order.id === orderId) this.#push(orderId);
        resolve(answerOf('accepted', answer));
      },
    };
    const arrived = this.#arrived.get(packageId);
    if (arrived !== undefined) {
      arrived.push({ purchase, reject });
    } else {
      this.#arrived.set(packageId, [{ purchase, reject }]);
      this.spawn(this.#storeAll(packageId), `storing orders of package ${packageId}`);
    }
    return promise;
  }

  protected get isTransportAvailable(): boolean {
    return this.#workQueue.available;
  }

  /**
   * Stores the purchases that have arrived. Purchases that arrive during a commit share the next commit, so they do not
   * contend.
   */
  async #storeAll(packageId: number): Promise<void> {
    const arrived = this.#arrived.get(packageId) ?? [];
    while (arrived.length > 0) await this.#storeBatch(packageId, arrived.splice(0, batchMax));
    this.#arrived.delete(packageId);
  }

  async #storeBatch(packageId: number, newcomers: readonly Newcomer[]): Promise<void> {
    const now = this.options.clock.monotonic();
    const isLate = ({ purchase }: Newcomer) => now > purchase.deadlineAt;
    for (const late of newcomers.filter(isLate)) late.reject(new ContendedError('waited too long'));
    const batch = newcomers.filter((newcomer) => !isLate(newcomer));
    if (batch.length === 0) return;
    const purchases = batch.map(({ purchase }) => purchase);
    const until = Math.min(...purchases.map(({ deadlineAt }) => deadlineAt));
    try {
      await this.transactions.run({ packageId, messages: () => purchases, until });
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  /** Pushes the id of a queued order again, because only a consumer can serve the order. */
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

  /** Withdraws an order whose caller hung up without a key. */
  async #withdraw({ id, packageId }: Order): Promise<void> {
    await this.transactions.run({
      packageId,
      wanted: { ids: [id] },
      messages: () => [{ kind: 'withdraw', orderId: id }],
      signal: this.closing,
    });
  }
}
