import type { Order } from '../../src/domain/order.ts';
import type { AnswerChecks } from './answer-checks.ts';
import type { Cluster } from './cluster.ts';
import type { LoadBalancer } from './load-balancer.ts';
import type { PaymentEvents } from './payment-events.ts';
import type { PaymentSale } from './payment-sale.ts';
import type { Prng } from './prng.ts';
import type { PaymentCore, SimPayment } from './sim-payments.ts';
import type { StoreCore } from './sim-store.ts';
import { epochMs, type World } from './world.ts';

/** How often buyers whom a wrong clock gave hours to pay are looked for, when the faults are over, in ms. */
const impatientMs = 5_000;

interface BuyersParts {
  readonly store: StoreCore;
  readonly core: PaymentCore;
  readonly events: PaymentEvents;
  readonly balancer: LoadBalancer;
  readonly answers: AnswerChecks;
  readonly sale: PaymentSale;
}

/** The buyers at the provider's pages. Each follows the plan that was drawn when the payment became due. */
export class Buyers {
  readonly #world: World;
  readonly #parts: BuyersParts;
  readonly #prng: Prng;
  /** What buyers do at the next takeover, by package. */
  readonly #atTakeover = new Map<number, (() => void)[]>();
  #underWay = 0;

  constructor(world: World, parts: BuyersParts) {
    const { store, core, sale } = parts;
    this.#world = world;
    this.#parts = parts;
    this.#prng = sale.prng;
    core.onDue = (payment) => this.#begin(payment);
    const noteOwner = store.onTaken;
    store.onTaken = (packageId, by) => {
      noteOwner(packageId, by);
      for (const act of this.#atTakeover.get(packageId)?.splice(0) ?? []) act();
    };
  }

  /** Whether all buyers have done what they wanted. */
  get isOver(): boolean {
    return this.#underWay === 0;
  }

  /**
   * When the faults are over, the clocks are right. A clock that was wrong may have given buyers hours to pay; they pay or
   * cancel before that.
   */
  heal(cluster: Cluster): void {
    for (const { host } of cluster.alive) host.clockOffsetMs = 0;
    this.#hurry();
  }

  #hurry(): void {
    const { store, core, sale } = this.#parts;
    this.#world.scheduler.after(impatientMs, 'buyers do not wait for hours', () => {
      const latest = epochMs + this.#world.scheduler.now + sale.rules.windowMs;
      for (const order of store.orders.values()) {
        const { id, status, payment, packageId } = order;
        const isLong = status === 'payable' && (payment?.payBy ?? 0) > latest && store.isOwnable(packageId);
        const found = core.ledger.get(id);
        if (!isLong || found === undefined) continue;
        this.#world.counters.count('does not wait for hours');
        if (this.#prng.chance(0.5)) this.#pay(found);
        else this.#after(0, id, () => this.#cancel(order));
      }
      this.#hurry();
    });
  }

  #begin(payment: SimPayment): void {
    const { sale, events } = this.#parts;
    const { key } = payment;
    const { windowMs } = sale.rules;
    const prng = this.#prng;
    const soonMs = prng.between(0, 0.9 * windowMs);
    const plan = sale.plan();
    this.#world.scheduler.note(`the buyer of ${key} ${plan}`);
    this.#world.counters.count(`buyer ${plan}`);
    switch (plan) {
      case 'does nothing':
        return;
      case 'pays at once':
        return this.#pay(payment);
      case 'pays':
        return this.#after(soonMs, key, () => this.#pay(payment));
      case 'pays twice':
        this.#after(soonMs, key, () => this.#pay(payment));
        return this.#after(soonMs + prng.pick([0, 500, 15_000]), key, () => this.#pay(payment));
      case 'pays at the last moment':
        return this.#after(0.8 * windowMs, key, () => this.#payAtTheLastMoment(payment));
      case 'pays too late':
        return this.#after(windowMs * prng.between(1, 3), key, () => this.#pay(payment));
      case 'pays in a takeover':
        return this.#payInTakeover(payment);
      case 'pays, and the provider says that it was declined':
        return this.#after(soonMs, key, () => {
          this.#pay(payment);
          events.tell(key, 'declined');
        });
      case 'is declined':
        return this.#after(soonMs, key, () => this.#decline(payment));
      case 'is declined, and pays then':
        this.#after(soonMs, key, () => this.#decline(payment));
        return this.#after(soonMs + prng.pick([1, 500]), key, () => this.#pay(payment));
      case 'cancels':
        return this.#after(soonMs, key, () => this.#cancelNow(key));
      case 'cancels and pays':
        this.#after(soonMs + prng.pick([0, 5, 1_000]), key, () => this.#pay(payment));
        return this.#after(soonMs, key, () => this.#cancelNow(key));
    }
  }

  #after(ms: number, key: string, act: () => unknown): void {
    this.#underWay += 1;
    this.#world.scheduler.after(ms, `the buyer of ${key} acts`, () => {
      const work = async () => {
        await act();
      };
      work()
        .catch((error: unknown) => this.#world.violate('bug', `a buyer saw ${String(error)}`, error))
        .finally(() => {
          this.#underWay -= 1;
        });
    });
  }

  #pay(payment: SimPayment): void {
    this.#world.counters.count(`paid while ${this.#order(payment.key)?.status}`);
    this.#parts.core.pay(payment);
  }

  #decline(payment: SimPayment): void {
    this.#parts.core.decline(payment);
  }

  /** Just before or just after the last look-up. */
  #payAtTheLastMoment(payment: SimPayment): void {
    const { key } = payment;
    const payBy = this.#order(key)?.payment?.payBy ?? 0;
    const leftMs = payBy - epochMs - this.#world.scheduler.now;
    const isNear = leftMs > 0 && leftMs <= this.#parts.sale.rules.windowMs;
    this.#after(isNear ? leftMs + this.#prng.between(-10, 30) : 0, key, () => this.#pay(payment));
  }

  /** Waits for a takeover at most as long as a patient buyer. */
  #payInTakeover(payment: SimPayment): void {
    const { key } = payment;
    const packageId = this.#order(key)?.packageId ?? 0;
    const waiting = this.#atTakeover.get(packageId) ?? [];
    this.#atTakeover.set(packageId, waiting);
    let isDone = false;
    const act = (delayMs: number, what: string) => {
      if (isDone) return;
      isDone = true;
      this.#world.counters.count(what);
      this.#after(delayMs, key, () => this.#pay(payment));
    };
    waiting.push(() => act(this.#prng.pick([0, 1, 5]), 'paid in a takeover'));
    this.#after(0.9 * this.#parts.sale.rules.windowMs, key, () => act(0, 'paid without a takeover'));
  }

  async #cancelNow(key: string): Promise<void> {
    const order = this.#order(key);
    if (order !== undefined) await this.#cancel(order);
  }

  /** Cancels over the API. */
  async #cancel(order: Order): Promise<void> {
    const { balancer, answers } = this.#parts;
    const instance = balancer.pickInstance();
    if (instance === undefined) return;
    answers.onCancelSent(order);
    const cancelled = instance.cancel(order.id, order.email, this.#prng.chance(0.5));
    const answer = await balancer.withTimeout(instance, cancelled);
    if (answer === undefined) return;
    this.#world.counters.count(`cancel over the API ${answer.status}`);
    answers.onApiCancelAnswered(order, answer);
  }

  #order(key: string): Order | undefined {
    return this.#parts.store.orders.get(key);
  }
}
