import { orderIdBytes, orderIdFrom } from '../../src/domain/ids.ts';
import type { Order } from '../../src/domain/order.ts';
import type { Accepted, PurchaseRequest, Refused } from '../../src/engine/engine.ts';
import type { Access } from './access.ts';
import type { AnswerChecks } from './answer-checks.ts';
import type { Dice } from './dice.ts';
import type { Sale } from './sale.ts';
import type { World } from './world.ts';

const triesMax = 8;
/** Not an answer about the order: whoever has a key asks again. */
const passing: readonly string[] = ['no_owner', 'overloaded', 'store_unavailable'];

type Wish = Pick<PurchaseRequest, 'packageId' | 'email' | 'key'>;

/** Buys, repeats itself, hangs up, looks, cancels and comes back; knows nothing but the instance that it reaches. */
export class Customer {
  readonly #world: World;
  readonly #access: Access;
  readonly #checks: AnswerChecks;
  readonly #sale: Sale;
  readonly #dice: Dice;

  constructor(world: World, access: Access, checks: AnswerChecks, sale: Sale, dice: Dice) {
    this.#world = world;
    this.#access = access;
    this.#checks = checks;
    this.#sale = sale;
    this.#dice = dice;
  }

  async comes(index: number): Promise<void> {
    const { withKey, repeats, returns, cancels, looks, packages, customers } = this.#sale;
    const dice = this.#dice;
    const packageId = dice.chance(0.02) ? 99 : dice.pick(packages).id;
    const email = `buyer${dice.whole(0, Math.max(1, customers >> 1))}@example.com`;
    const key = dice.chance(withKey) ? `key-${index}` : undefined;
    const wish = { packageId, email, ...(key === undefined ? {} : { key }) };
    // Two windows, or an impatient proxy: the same wish twice at the same time.
    const twin = key !== undefined && dice.chance(repeats / 4) ? this.#buys(wish) : undefined;
    const order = await this.#insists(wish);
    await twin;
    if (order !== undefined && dice.chance(looks)) await this.#looksUp(order);
    if (order !== undefined && dice.chance(cancels)) await this.#cancels(order);
    if (key !== undefined && dice.chance(returns)) await this.#returns(wish, order);
  }

  /** Asks until it has an answer, or is tired of it. */
  async #insists(wish: Wish): Promise<Order | undefined> {
    let order: Order | undefined;
    for (let tries = 0; tries < triesMax; tries++) {
      const answer = await this.#buys(wish);
      order = answer?.order ?? order;
      // Without a key it might be bought twice.
      if (wish.key === undefined) break;
      const isUnanswered =
        answer === undefined || (answer.kind === 'refused' && passing.includes(answer.code));
      if (!isUnanswered && !this.#dice.chance(this.#sale.repeats)) break;
      await this.#access.pause(this.#dice.between(10, 3_000));
    }
    return order;
  }

  async #buys(wish: Wish): Promise<Accepted | Refused | undefined> {
    const instance = this.#access.anybody();
    if (instance === undefined) return undefined;
    const gone = this.#hangingUp();
    const asked = this.#checks.asked(wish);
    const answer = await this.#access.answer(
      instance,
      instance.engine.purchase({ ...wish, gone: gone.signal }),
    );
    this.#checks.answered(asked, answer);
    if (answer === undefined) return undefined;
    this.#world.counters.count(answer.kind === 'accepted' ? 'accepted' : `refused ${answer.code}`);
    if (answer.kind === 'refused') return answer;
    const settling = { waitMs: this.#dice.pick([0, 1_000, 10_000]), gone: gone.signal };
    const outcome = await this.#access.answer(instance, instance.engine.outcome(answer.order, settling));
    if (outcome !== undefined) this.#checks.heard(outcome);
    return { kind: 'accepted', order: outcome ?? answer.order };
  }

  #hangingUp(): AbortController {
    const gone = new AbortController();
    if (!this.#dice.chance(this.#sale.hangsUp)) return gone;
    this.#world.scheduler.after(this.#dice.between(0, 3_000), 'hangs up', () => {
      this.#world.counters.count('hung up');
      gone.abort('hung up');
    });
    return gone;
  }

  /** At once, or when it has slept on it; and again while the order is still being booked. */
  async #cancels({ id }: Order): Promise<void> {
    await this.#access.pause(this.#dice.pick([0, 300, 5_000]));
    for (let tries = 0; tries < 3; tries++) {
      const instance = this.#access.anybody();
      if (instance === undefined) return;
      const order = await this.#access.answer(
        instance,
        instance.engine.order(id).catch(() => undefined),
      );
      if (order === undefined) return;
      this.#checks.cancels(order);
      const answer = await this.#access.answer(instance, instance.engine.cancel(order));
      this.#checks.cancelled(order, answer);
      const code = answer?.kind === 'refused' ? answer.code : answer?.kind;
      if (code !== undefined) this.#world.counters.count(`cancel ${code}`);
      if (code !== 'in_progress') return;
      await this.#access.pause(500);
    }
  }

  /** With the number and the email of the order, and with one of them wrong. */
  async #looksUp({ id, email }: Order): Promise<void> {
    const stranger = 'nobody@example.com';
    const unknown = orderIdFrom(this.#dice.bytes(orderIdBytes));
    const tries = [
      { id, email },
      { id, email: stranger },
      { id: unknown, email },
      { id: this.#dice.pick(['no number', 'AAAA']), email },
    ];
    for (const wanted of tries) {
      const instance = this.#access.anybody();
      if (instance === undefined) return;
      const seen = await this.#access.answer(instance, instance.lookUp(wanted.id, wanted.email));
      if (seen !== undefined) this.#checks.looked(wanted, wanted.id === id && wanted.email === email, seen);
    }
  }

  /** Much later, when most of it is sold; and somebody else who has seen the key. */
  async #returns(wish: Wish, order: Order | undefined): Promise<void> {
    await this.#access.pause(this.#dice.between(3_000, 40_000));
    await this.#buys(wish);
    if (order !== undefined) await this.#buys({ ...wish, email: 'thief@example.com' });
  }
}
