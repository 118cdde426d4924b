import type { Leases } from '../../cluster/lease.ts';
import { defaultRejectionsMax } from '../../domain/decide.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import type { OrderAnswer } from '../../domain/messages.ts';
import { type Order, owedStatuses } from '../../domain/order.ts';
import { saleObstacle } from '../../domain/refusals.ts';
import { noQueue, type PackageSnapshot } from '../../domain/travel-package.ts';
import { settlesWithin } from '../../lib/deadline.ts';
import { answerOf, refused } from '../commands.ts';
import type { PurchaseRequest } from '../engine.ts';
import { LeftOrders } from '../strategies/left-orders.ts';
import { StrategyEngine, type StrategyOptions } from '../strategies/strategy-engine.ts';
import { type LockedWork, Locks, LocksUnavailableError, WaitingCaller } from './locks.ts';

export interface LockEngineOptions extends StrategyOptions {
  readonly leases: Leases;
}

/**
 * Intervals between searches for unfinished orders: the normal one, and a shorter one while the lock service is away.
 */
const roundMs = 5_000;
const roundWhileAwayMs = 1_000;
/**
 * The lock is kept for a compensation for this long, in ms, so that the next buyer finds its unit. Then the compensation
 * continues beside the lock, because a supplier may refuse to cancel for hours.
 */
const compensationMs = 500;

/**
 * The lock engine: a lock around each purchase. The holder of the lock claims a unit, runs the saga and stores the
 * outcome. Then the next purchase gets the lock. A holder also finishes the orders of a process that died.
 *
 * No promise depends on the lock. Each commit applies only to the state for which it was decided, so two holders at the
 * same time only delay each other (rule Q3).
 */
export class LockEngine extends StrategyEngine {
  readonly #locks: Locks;
  /** Read apart, so that orders of one kind cannot hide those of the other. */
  readonly #held: LeftOrders;
  readonly #owed: LeftOrders;

  constructor(options: LockEngineOptions) {
    const rules = { ...options.rules, ...noQueue, claimsMax: 1, rejectionsMax: defaultRejectionsMax };
    // `buy` checks the suppliers before it waits for the lock. A purchase that has the lock continues in any case.
    super(options, { rules, suppliersAvailable: () => true });
    const { leases, clock, random, store } = options;
    this.#held = new LeftOrders(store, ['held']);
    this.#owed = new LeftOrders(store, owedStatuses);
    this.#locks = new Locks({ leases, clock, random, closing: this.closing });
  }

  override async start(): Promise<void> {
    await super.start();
    void this.#rounds();
  }

  protected storeCancel(order: Order): Promise<OrderAnswer> {
    const waiting = new WaitingCaller(this.options.clock, this.commandTimeoutMs);
    return this.#under(order.packageId, waiting, (signal) => this.#cancel(order, waiting, signal));
  }

  protected async buy(request: PurchaseRequest): Promise<OrderAnswer> {
    if (!this.suppliersAvailable(request.packageId)) return refused('not_ready');
    const gone = request.key === undefined ? request.callerSignal?.() : undefined;
    const waiting = new WaitingCaller(this.options.clock, this.commandTimeoutMs, gone);
    return this.#under(
      request.packageId,
      waiting,
      (signal) => this.#sell(request, waiting, signal),
      () => this.early(request),
    );
  }

  /** Ignores `queue_full`, because a held unit may be free again once this purchase has the lock. */
  protected override obstacle({ package: travelPackage, inventory }: PackageSnapshot): ErrorCode | undefined {
    const code = saleObstacle(travelPackage, inventory, this.options.clock.now(), noQueue, true);
    return code === 'queue_full' ? undefined : code;
  }

  /** Does nothing, because a purchase that waits for the lock notices by itself that its caller hung up. */
  protected withdraw(): void {}

  protected get isTransportAvailable(): boolean {
    return this.#locks.isReachable;
  }

  /** Runs `work` under the lock. Resolves as soon as `work` has replied, while it continues under the lock. */
  #under(
    packageId: number,
    waiting: WaitingCaller,
    work: LockedWork,
    early: () => Promise<OrderAnswer | undefined> = async () => undefined,
  ): Promise<OrderAnswer> {
    const isWanted = async () => {
      const answer = this.isDraining ? refused('no_owner') : waiting.isOver ? undefined : await early();
      if (answer !== undefined) waiting.reply(answer);
      return !waiting.isOver;
    };
    const locked = this.#locks.under(packageId, isWanted, work).then(
      () => waiting.reply(refused('no_owner')),
      (error: unknown) => {
        if (error instanceof LocksUnavailableError) return waiting.reply(refused('no_owner'));
        if (waiting.isOver) throw error;
        waiting.fail(error);
      },
    );
    this.spawn(locked, `the work on package ${packageId}`);
    return waiting.answer;
  }

  async #sell(request: PurchaseRequest, waiting: WaitingCaller, signal: AbortSignal): Promise<void> {
    const orderId = this.newOrderId();
    let answer = await this.#claim(request, orderId, waiting, 'unless some are left');
    if (answer === undefined && !waiting.isOver) {
      await this.#finishLeft(request.packageId, signal);
      answer = await this.#claim(request, orderId, waiting, 'in any case');
    }
    waiting.reply(answer ?? refused('overloaded'));
    if (answer?.kind !== 'accepted') return;
    const isFirst = answer.order.id === orderId;
    await this.#finish(answer.order, signal, isFirst);
  }

  /**
   * Claims a unit. Undefined if nothing was decided, because other orders must be finished first or the caller has its
   * answer.
   */
  async #claim(
    { packageId, email, key, language }: PurchaseRequest,
    orderId: string,
    waiting: WaitingCaller,
    when: 'unless some are left' | 'in any case',
  ): Promise<OrderAnswer | undefined> {
    const isSecond = when === 'in any case';
    const command = {
      ...{ kind: 'purchase' as const, orderId, email, inDoubt: isSecond },
      ...(key === undefined ? {} : { key }),
      ...(language === undefined ? {} : { language }),
    };
    const answer = await this.ask(packageId, command, ({ inventory }, lookups) => {
      const areLeft =
        inventory.held + inventory.cancelling + inventory.waiting > 0 && !lookups.byId.has(orderId);
      return (isSecond || !areLeft) && waiting.serve();
    });
    return answer && answerOf('accepted', answer);
  }

  async #cancel({ id, packageId }: Order, waiting: WaitingCaller, signal: AbortSignal): Promise<void> {
    const stored = await this.ask(packageId, { kind: 'cancel', orderId: id }, () => waiting.serve());
    const answer = answerOf('accepted', stored ?? refused('overloaded'));
    waiting.reply(answer);
    if (answer.kind === 'accepted') await this.#finish(answer.order, signal);
  }

  async #finish(order: Order, signal: AbortSignal, isFirst = false): Promise<void> {
    const latest = await this.sagas.book(order, signal, { isFirst });
    if (!owedStatuses.includes(latest.status)) return;
    await settlesWithin(compensationMs, this.sagas.compensate(latest), this.options.clock);
  }

  /** Finishes orders that other processes left when they died or lost the lock. */
  async #finishLeft(packageId: number, signal: AbortSignal): Promise<void> {
    const [held, owed] = await Promise.all([this.#held.next(packageId), this.#owed.next(packageId)]);
    const left = [...(held?.orders ?? []), ...(owed?.orders ?? [])];
    await Promise.all(left.map((order) => this.#finish(order, signal)));
    if (held !== undefined && held.inventory.waiting > 0) await this.#serveQueue(packageId, signal);
  }

  /** Serves a queue left by another engine, one order at a time, and before new orders (rule Q5). */
  async #serveQueue(packageId: number, signal: AbortSignal): Promise<void> {
    const wanted = { statuses: ['queued'], max: defaultRejectionsMax } as const;
    while (!signal.aborted && this.suppliersAvailable(packageId)) {
      const { step } = await this.transactions.run({
        packageId,
        wanted,
        messages: () => [{ kind: 'tick' }],
        signal,
      });
      if (step.change === undefined) return;
      const held = step.effects.find((effect) => effect.kind === 'book');
      if (held !== undefined) await this.#finish(held.order, signal, true);
    }
  }

  /** Finishes orders even if nobody buys, and detects whether the lock service answers. */
  async #rounds(): Promise<void> {
    const { store, clock, log } = this.options;
    while (!this.closing.aborted) {
      try {
        const unfinished = await store.packagesWithUnfinished();
        const ids =
          unfinished.length > 0
            ? unfinished
            : (await store.packagesPage(undefined, 1)).items.map((one) => one.package.id);
        for (const id of ids) {
          const looked = this.#locks.ifFree(id, (signal) => this.#finishLeft(id, signal));
          this.spawn(looked, `looking after package ${id}`);
        }
      } catch (err) {
        log.debug({ err }, 'no round: the store does not answer');
      }
      await clock.sleep(this.#locks.isReachable ? roundMs : roundWhileAwayMs, this.closing);
    }
  }
}
