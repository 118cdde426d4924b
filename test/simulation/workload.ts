import { Access } from './access.ts';
import type { AnswerChecks } from './answer-checks.ts';
import type { Cluster } from './cluster.ts';
import { Customer } from './customer.ts';
import type { Dice } from './dice.ts';
import { operate } from './operator.ts';
import type { Sale } from './sale.ts';
import type { World } from './world.ts';

/** Within how many ms all operators come. */
const operatorsMs = 20_000;

/** Everybody who comes to a sale. */
export class Workload {
  readonly #world: World;
  readonly #sale: Sale;
  readonly #dice: Dice;
  readonly #access: Access;
  readonly #customer: Customer;
  #underWay = 0;

  constructor(world: World, cluster: Cluster, checks: AnswerChecks, sale: Sale) {
    this.#world = world;
    this.#sale = sale;
    this.#dice = world.dice.fork();
    this.#access = new Access(world, cluster, this.#dice);
    this.#customer = new Customer(world, this.#access, checks, sale, this.#dice);
  }

  /** Whether nobody waits for an answer any more, or will come. */
  get isOver(): boolean {
    return this.#underWay === 0;
  }

  /** Once everything has settled. */
  settled(): void {
    this.#access.settled();
  }

  begin(): void {
    const { customers, rushMs, amendments } = this.#sale;
    for (let each = 0; each < customers; each++) {
      this.#soon(rushMs, `customer ${each}`, () => this.#customer.comes(each));
    }
    for (let each = 0; each < amendments; each++) {
      const act = () => operate(this.#world, this.#access, this.#sale, this.#dice);
      this.#soon(operatorsMs, `operator ${each}`, act);
    }
  }

  #soon(withinMs: number, what: string, act: () => Promise<void>): void {
    this.#underWay += 1;
    this.#world.scheduler.after(this.#dice.between(0, withinMs), what, () => {
      act()
        .catch((error: unknown) => this.#world.violate('bug', `${what} saw ${String(error)}`, error))
        .finally(() => {
          this.#underWay -= 1;
        });
    });
  }
}
