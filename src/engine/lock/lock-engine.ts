import type { Leases } from '../../cluster/lease.ts';
import { saleObstacle } from '../../domain/decide.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import type { Order } from '../../domain/order.ts';
import type { PackageSnapshot } from '../../domain/travel-package.ts';
import type { PurchaseRequest } from '../engine.ts';
import { cancelAnswer, decideCancel } from '../strategies/cancel.ts';
import { hold, type Wish } from '../strategies/changes.ts';
import { inHand } from '../strategies/finisher.ts';
import { type Answer, accepted, refused } from '../strategies/judge.ts';
import { answered, PlanEngine, type PlanOptions } from '../strategies/plan-engine.ts';
import { type LockedWork, Locks, LocksUnavailableError } from './locks.ts';
import { Waiting } from './waiting.ts';

export interface LockEngineOptions extends PlanOptions {
  readonly leases: Leases;
}

/** How often packages with unfinished orders are looked after, and the same while the lock service is away. */
const roundMs = 5_000;
const roundWhileAwayMs = 1_000;
/** The most orders of a package that one round finishes. */
const leftMax = 1_000;

/**
 * Plan A: a lock around each purchase. Under it the unit is claimed, the saga run and its outcome stored; then the
 * next customer may. What a dead process left unfinished is finished by the next one who holds the lock.
 *
 * No promise rests on the lock: each commit is conditional on the present that it was decided on, so two who hold it
 * at the same time get in each other's way and nothing else (rule Q3).
 */
export class LockEngine extends PlanEngine {
  readonly #locks: Locks;

  constructor(options: LockEngineOptions) {
    super(options);
    const { leases, clock, random } = options;
    this.#locks = new Locks({ leases, clock, random, closing: this.closing });
  }

  override async start(): Promise<void> {
    await super.start();
    void this.#rounds();
  }

  cancel(order: Order): Promise<Answer> {
    return answered(async () => {
      const answer = cancelAnswer((await this.order(order.id)) ?? order);
      if (answer !== undefined) return answer;
      const waiting = new Waiting(this.options.clock, this.patienceMs);
      return this.#under(order.packageId, waiting, (signal) => this.#cancel(order, waiting, signal));
    });
  }

  protected async buy(request: PurchaseRequest): Promise<Answer> {
    if (!this.suppliersAvailable) return refused('not_ready');
    const gone = request.key === undefined ? request.gone : undefined;
    const waiting = new Waiting(this.options.clock, this.patienceMs, gone);
    return this.#under(
      request.packageId,
      waiting,
      (signal) => this.#sell(request, waiting, signal),
      () => this.early(request),
    );
  }

  protected obstacle(
    { package: travelPackage, figures }: PackageSnapshot,
    now: number,
  ): ErrorCode | undefined {
    return saleObstacle(travelPackage, { ...figures, waiting: 0 }, now, 0, true);
  }

  /** A unit that is held may be free again when the lock is ours. */
  protected earlyObstacle(snapshot: PackageSnapshot, now: number): ErrorCode | undefined {
    const code = this.obstacle(snapshot, now);
    return code === 'queue_full' ? undefined : code;
  }

  protected get isCarrierAvailable(): boolean {
    return this.#locks.isReachable;
  }

  /** Answers as soon as `work` has replied, and lets it go on under the lock. */
  #under(
    packageId: number,
    waiting: Waiting,
    work: LockedWork,
    early: () => Promise<Answer | undefined> = async () => undefined,
  ): Promise<Answer> {
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

  async #sell(request: PurchaseRequest, waiting: Waiting, signal: AbortSignal): Promise<void> {
    const wish = this.wish(request);
    let answer = await this.#claim(request, wish, waiting, 'unless some are left');
    if (answer === undefined) {
      await this.#finishLeft(request.packageId, signal);
      answer = await this.#claim(request, wish, waiting, 'in any case');
    }
    waiting.reply(answer ?? refused('overloaded'));
    if (answer?.kind === 'accepted') await this.finisher.finish(answer.order, signal);
  }

  /** Undefined when there are orders to finish first. */
  #claim(
    request: PurchaseRequest,
    wish: Wish,
    waiting: Waiting,
    when: 'unless some are left' | 'in any case',
  ): Promise<Answer | undefined> {
    const until = this.options.clock.now() + this.patienceMs;
    return this.transactor.run<Answer | undefined>(
      request.packageId,
      { ids: [wish.id] },
      async (present, now) => {
        const [stored] = present.orders;
        if (stored !== undefined) return { result: accepted(stored) };
        const { held, cancelling } = present.figures;
        if (held + cancelling > 0 && when === 'unless some are left') return { result: undefined };
        const recalled = await this.recall(request.packageId, [request]);
        const answer = this.judge(request, present, recalled, now);
        if (answer !== undefined) return { result: answer };
        if (!waiting.serve()) return { result: refused('overloaded') };
        const change = hold(present, wish, now);
        return { change, result: accepted(change.inserted[0] as Order) };
      },
      { until },
    );
  }

  async #cancel({ id, packageId }: Order, waiting: Waiting, signal: AbortSignal): Promise<void> {
    const until = this.options.clock.now() + this.patienceMs;
    const answer = await this.transactor.run<Answer>(
      packageId,
      { ids: [id] },
      (present, now) => (waiting.serve() ? decideCancel(present, now) : { result: refused('overloaded') }),
      { until },
    );
    waiting.reply(answer);
    if (answer.kind === 'accepted') await this.finisher.finish(answer.order, signal);
  }

  /** What others began and did not finish: they are dead, or have lost the lock. */
  async #finishLeft(packageId: number, signal: AbortSignal): Promise<void> {
    const present = await this.options.store.present(packageId, { statuses: inHand, max: leftMax });
    await Promise.all((present?.orders ?? []).map((order) => this.finisher.finish(order, signal)));
  }

  /** So that an order is finished although nobody buys any more, and the lock service is known to be there. */
  async #rounds(): Promise<void> {
    const { store, clock, log } = this.options;
    while (!this.closing.aborted) {
      try {
        const unfinished = await store.packagesWithUnfinished();
        const ids =
          unfinished.length > 0
            ? unfinished
            : (await this.packages()).slice(0, 1).map((one) => one.package.id);
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
