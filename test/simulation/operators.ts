import type { Refused } from '../../src/domain/messages.ts';
import type { Cluster } from './cluster.ts';
import { Prng } from './prng.ts';
import type { SimInstance } from './sim-instance.ts';
import type { StoreCore } from './sim-store.ts';
import type { SupplierCore } from './sim-suppliers.ts';
import type { World } from './world.ts';

const timeoutMs = 12_000;
/** The time in which operators act, in ms. Faults occur all this time. */
const withinMs = 30_000;

/**
 * Operators who retry orders and erase emails in some of the seeds. They draw from random numbers of their own, so a
 * seed in which they do nothing runs as if there were no operators.
 */
export class Operators {
  readonly #world: World;
  readonly #cluster: Cluster;
  readonly #store: StoreCore;
  readonly #prng: Prng;
  readonly #retries: number;
  readonly #erasures: number;
  #underWay = 0;

  constructor(world: World, cluster: Cluster, store: StoreCore, suppliers: SupplierCore, seed: number) {
    this.#world = world;
    this.#cluster = cluster;
    this.#store = store;
    this.#prng = new Prng(~seed);
    this.#retries = this.#prng.pick([0, 0, 0, 5, 20]);
    this.#erasures = this.#retries === 0 ? 0 : this.#prng.pick([0, 2, 10]);
    if (this.#retries > 0) suppliers.onSilent = (key) => this.#retrySilent(key);
  }

  get isOver(): boolean {
    return this.#underWay === 0;
  }

  begin(): void {
    for (let each = 0; each < this.#retries; each++) this.#schedule('a retry', (at) => this.#retry(at));
    for (let each = 0; each < this.#erasures; each++) this.#schedule('an erasure', (at) => this.#erase(at));
  }

  /** Operators see that a supplier is silent, and retry the order while its failure is being stored. */
  #retrySilent(orderId: string): void {
    const order = this.#store.orders.get(orderId);
    if (order === undefined || !this.#prng.chance(0.7)) return;
    const retry = async (at: SimInstance) =>
      this.#count('retry', await this.#withTimeout(at, at.engine.retry(order)));
    this.#schedule('a retry of a silent order', retry, this.#prng.pick([1, 5, 20]));
  }

  #schedule(what: string, act: (at: SimInstance) => Promise<void>, beforeMs = withinMs): void {
    this.#underWay += 1;
    this.#world.scheduler.after(this.#prng.between(0, beforeMs), what, () => {
      const { ready } = this.#cluster;
      const work = ready.length === 0 ? Promise.resolve() : act(this.#prng.pick(ready));
      work
        .catch((error: unknown) => this.#world.violate('bug', `${what} saw ${(error as Error).stack}`))
        .finally(() => {
          this.#underWay -= 1;
        });
    });
  }

  async #retry(at: SimInstance): Promise<void> {
    const orders = [...this.#store.orders.values()];
    const unfinished = orders.filter(({ status }) =>
      ['held', 'payable', 'compensating', 'cancelling'].includes(status),
    );
    const choice = unfinished.length > 0 && this.#prng.chance(0.9) ? unfinished : orders;
    if (choice.length > 0)
      this.#count('retry', await this.#withTimeout(at, at.engine.retry(this.#prng.pick(choice))));
  }

  async #erase(at: SimInstance): Promise<void> {
    const orders = [...this.#store.orders.values()];
    if (orders.length === 0) return;
    const { email, packageId } = this.#prng.pick(orders);
    const erasures = orders
      .filter((order) => order.email === email && order.packageId === packageId)
      .map(({ id }) => ({ orderId: id, email: `erased-${this.#prng.whole(0, 1e9)}@erased.invalid` }));
    this.#count('erase', await this.#withTimeout(at, at.engine.erase(packageId, email, erasures)));
  }

  #count(what: string, answer: { readonly kind: string } | Refused | undefined): void {
    if (answer === undefined) return;
    this.#world.counters.count(`${what} ${'code' in answer ? answer.code : 'done'}`);
  }

  /** Resolves with the answer, or undefined after a timeout, also if the process has died. */
  #withTimeout<Answer>({ host }: SimInstance, answer: Promise<Answer>): Promise<Answer | undefined> {
    return new Promise((resolve, reject) => {
      this.#world.scheduler.after(timeoutMs, 'gives up', () => resolve(undefined));
      answer.then((value) => (host.isAlive ? resolve(value) : undefined), reject);
    });
  }
}
