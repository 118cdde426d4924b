import type { AnswerChecks } from './answer-checks.ts';
import type { Cluster } from './cluster.ts';
import { Customer } from './customer.ts';
import { LoadBalancer } from './load-balancer.ts';
import { updateSomePackage } from './package-update.ts';
import type { Prng } from './prng.ts';
import type { Sale } from './sale.ts';
import type { World } from './world.ts';

/** The time in which operators come, in ms. */
const operatorsMs = 20_000;

/** The customers and operators of a sale. */
export class Workload {
  readonly #world: World;
  readonly #sale: Sale;
  readonly #prng: Prng;
  readonly #balancer: LoadBalancer;
  readonly #customer: Customer;
  #underWay = 0;

  constructor(world: World, cluster: Cluster, checks: AnswerChecks, sale: Sale) {
    this.#world = world;
    this.#sale = sale;
    this.#prng = world.prng.fork();
    this.#balancer = new LoadBalancer(world, cluster, this.#prng);
    this.#customer = new Customer(world, this.#balancer, checks, sale, this.#prng);
  }

  /** Whether all customers and operators are done. */
  get isOver(): boolean {
    return this.#underWay === 0;
  }

  /** The checks at the end, when nothing is under way. */
  checkSettled(): void {
    this.#balancer.checkSettled();
  }

  begin(): void {
    const { customers, rushMs, amendments } = this.#sale;
    for (let each = 0; each < customers; each++) {
      this.#schedule(rushMs, `customer ${each}`, () => this.#customer.visit(each));
    }
    for (let each = 0; each < amendments; each++) {
      const act = () => updateSomePackage(this.#world, this.#balancer, this.#sale, this.#prng);
      this.#schedule(operatorsMs, `operator ${each}`, act);
    }
  }

  #schedule(withinMs: number, what: string, act: () => Promise<void>): void {
    this.#underWay += 1;
    this.#world.scheduler.after(this.#prng.between(0, withinMs), what, () => {
      act()
        .catch((error: unknown) => this.#world.violate('bug', `${what} saw ${String(error)}`, error))
        .finally(() => {
          this.#underWay -= 1;
        });
    });
  }
}
