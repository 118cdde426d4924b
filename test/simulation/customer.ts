import type { Accepted, Refused } from '../../src/domain/messages.ts';
import type { Order } from '../../src/domain/order.ts';
import { orderIdBytes, orderIdFrom } from '../../src/domain/order.ts';
import type { PurchaseRequest } from '../../src/engine/engine.ts';
import type { AnswerChecks } from './answer-checks.ts';
import type { LoadBalancer } from './load-balancer.ts';
import type { Prng } from './prng.ts';
import type { Sale } from './sale.ts';
import type { World } from './world.ts';

const triesMax = 8;
/** Refusals after which a customer with a key tries again. */
const retryableCodes: readonly string[] = ['no_owner', 'overloaded', 'store_unavailable'];

type PurchaseParams = Pick<PurchaseRequest, 'packageId' | 'email' | 'key'>;

/** A customer who buys, retries, disconnects, looks up, cancels and comes back later. */
export class Customer {
  readonly #world: World;
  readonly #balancer: LoadBalancer;
  readonly #checks: AnswerChecks;
  readonly #sale: Sale;
  readonly #prng: Prng;

  constructor(world: World, balancer: LoadBalancer, checks: AnswerChecks, sale: Sale, prng: Prng) {
    this.#world = world;
    this.#balancer = balancer;
    this.#checks = checks;
    this.#sale = sale;
    this.#prng = prng;
  }

  async visit(index: number): Promise<void> {
    const { withKey, repeats, returns, cancels, looks, packages, customers } = this.#sale;
    const prng = this.#prng;
    const packageId = prng.chance(0.02) ? 99 : prng.pick(packages).id;
    const email = `buyer${prng.whole(0, Math.max(1, customers >> 1))}@example.com`;
    const key = prng.chance(withKey) ? `key-${index}` : undefined;
    const params = { packageId, email, ...(key === undefined ? {} : { key }) };
    // Sends the same purchase twice at the same time, as two tabs or a retrying proxy do.
    const twin = key !== undefined && prng.chance(repeats / 4) ? this.#buy(params) : undefined;
    const order = await this.#buyWithRetries(params);
    await twin;
    if (order !== undefined && prng.chance(looks)) await this.#lookUp(order);
    if (order !== undefined && prng.chance(cancels)) await this.#cancel(order);
    if (key !== undefined && prng.chance(returns)) await this.#comeBack(params, order);
  }

  /** Repeats the purchase until there is a definite answer, at most `triesMax` times. */
  async #buyWithRetries(params: PurchaseParams): Promise<Order | undefined> {
    let order: Order | undefined;
    for (let tries = 0; tries < triesMax; tries++) {
      const answer = await this.#buy(params);
      order = answer?.order ?? order;
      // A retry without a key could buy twice.
      if (params.key === undefined) break;
      const isUnanswered =
        answer === undefined || (answer.kind === 'refused' && retryableCodes.includes(answer.code));
      if (!isUnanswered && !this.#prng.chance(this.#sale.repeats)) break;
      await this.#balancer.wait(this.#prng.between(10, 3_000));
    }
    return order;
  }

  async #buy(params: PurchaseParams): Promise<Accepted | Refused | undefined> {
    const instance = this.#balancer.pickInstance();
    if (instance === undefined) return undefined;
    const gone = this.#hangUpSometimes();
    const sent = this.#checks.onPurchaseSent(params);
    const answer = await this.#balancer.withTimeout(
      instance,
      instance.engine.purchase({ ...params, callerSignal: () => gone.signal }),
    );
    this.#checks.onPurchaseAnswered(sent, answer);
    if (answer === undefined) return undefined;
    this.#world.counters.count(answer.kind === 'accepted' ? 'accepted' : `refused ${answer.code}`);
    if (answer.kind === 'refused') return answer;
    const settling = { waitMs: this.#prng.pick([0, 1_000, 10_000]), gone: gone.signal };
    const outcome = await this.#balancer.withTimeout(
      instance,
      instance.engine.outcome(answer.order, settling),
    );
    if (outcome !== undefined) this.#checks.onOutcome(outcome);
    return { kind: 'accepted', order: outcome ?? answer.order };
  }

  #hangUpSometimes(): AbortController {
    const gone = new AbortController();
    if (!this.#prng.chance(this.#sale.hangsUp)) return gone;
    this.#world.scheduler.after(this.#prng.between(0, 3_000), 'hangs up', () => {
      this.#world.counters.count('hung up');
      gone.abort('hung up');
    });
    return gone;
  }

  /** Cancels, maybe after a pause. Retries while the order is being booked. */
  async #cancel({ id }: Order): Promise<void> {
    await this.#balancer.wait(this.#prng.pick([0, 300, 5_000]));
    for (let tries = 0; tries < 3; tries++) {
      const instance = this.#balancer.pickInstance();
      if (instance === undefined) return;
      const order = await this.#balancer.withTimeout(
        instance,
        instance.engine.order(id).catch(() => undefined),
      );
      if (order === undefined) return;
      this.#checks.onCancelSent(order);
      const answer = await this.#balancer.withTimeout(instance, instance.engine.cancel(order));
      this.#checks.onCancelAnswered(order, answer);
      const code = answer?.kind === 'refused' ? answer.code : answer?.kind;
      if (code !== undefined) this.#world.counters.count(`cancel ${code}`);
      if (code !== 'in_progress') return;
      await this.#balancer.wait(500);
    }
  }

  /** Looks up the order with the right id and email, and also with a wrong id or a wrong email. */
  async #lookUp({ id, email }: Order): Promise<void> {
    const stranger = 'nobody@example.com';
    const unknown = orderIdFrom(this.#world.scheduler.now, this.#prng.bytes(orderIdBytes));
    const tries = [
      { id, email },
      { id, email: stranger },
      { id: unknown, email },
      { id: this.#prng.pick(['no number', 'AAAA']), email },
    ];
    for (const wanted of tries) {
      const instance = this.#balancer.pickInstance();
      if (instance === undefined) return;
      const seen = await this.#balancer.withTimeout(instance, instance.lookUp(wanted.id, wanted.email));
      if (seen !== undefined) this.#checks.onLookUp(wanted, wanted.id === id && wanted.email === email, seen);
    }
  }

  /** Repeats the purchase much later, and then sends the same key with another email. */
  async #comeBack(params: PurchaseParams, order: Order | undefined): Promise<void> {
    await this.#balancer.wait(this.#prng.between(3_000, 40_000));
    await this.#buy(params);
    if (order !== undefined) await this.#buy({ ...params, email: 'thief@example.com' });
  }
}
