import { isSettled, type Order } from '../../domain/order.ts';
import type { TravelPackage } from '../../domain/travel-package.ts';
import type { Accepted, Refused } from '../../ports/booking-engine.ts';
import type { Checks } from './checks.ts';
import type { Cluster } from './cluster.ts';
import type { Dice } from './dice.ts';
import type { SimInstance } from './sim-instance.ts';
import type { StoreCore } from './sim-store.ts';
import type { World } from './world.ts';

/** What is sold in a seed, to whom, and how they behave. */
export interface Sale {
  readonly packages: readonly TravelPackage[];
  readonly customers: number;
  /** In how many ms all of them come. */
  readonly rushMs: number;
  readonly waitersPerUnit: number;
  readonly ordersPerEmail: number;
  /** From 0 to 1: send a key, repeat themselves, hang up, cancel what they have. */
  readonly withKey: number;
  readonly repeats: number;
  readonly hangsUp: number;
  readonly cancels: number;
  /** Changes of packages that operators make. */
  readonly amendments: number;
}

export function drawSale(dice: Dice): Sale {
  const count = dice.pick([1, 1, 1, 2, 3, 6]);
  const packages = Array.from({ length: count }, (_, index) => ({
    id: index + 1,
    flight: `Flight-${index + 1}`,
    stay: '2030-02-01',
    price: 100,
    quota: dice.pick([0, 1, 1, 2, 3, 5, 10, 50]),
    version: 1,
  }));
  return {
    packages,
    customers: dice.pick([5, 15, 30, 60]),
    rushMs: dice.pick([5, 500, 5_000, 15_000]),
    waitersPerUnit: dice.pick([0, 1, 3, 64]),
    ordersPerEmail: dice.pick([0, 0, 0, 2]),
    withKey: dice.pick([0, 0.5, 1]),
    repeats: dice.pick([0, 0.2, 0.6]),
    hangsUp: dice.pick([0, 0.1, 0.4]),
    cancels: dice.pick([0, 0.1, 0.5]),
    amendments: dice.pick([0, 0, 2, 6]),
  };
}

const patienceMs = 12_000;
const triesMax = 8;

/** Customers and operators, who know nothing but the engine of the instance that they reach. */
export class Workload {
  readonly #world: World;
  readonly #cluster: Cluster;
  readonly #checks: Checks;
  readonly #store: StoreCore;
  readonly #sale: Sale;
  readonly #dice: Dice;
  #underWay = 0;

  constructor(world: World, cluster: Cluster, checks: Checks, store: StoreCore, sale: Sale) {
    this.#world = world;
    this.#cluster = cluster;
    this.#checks = checks;
    this.#store = store;
    this.#sale = sale;
    this.#dice = world.dice.fork();
  }

  /** Whether somebody still waits for an answer. */
  get isOver(): boolean {
    return this.#underWay === 0;
  }

  begin(): void {
    const { customers, rushMs, amendments } = this.#sale;
    for (let each = 0; each < customers; each++) {
      this.#soon(rushMs, `customer ${each}`, () => this.#customer(each));
    }
    for (let each = 0; each < amendments; each++) {
      this.#soon(20_000, `operator ${each}`, () => this.#operator());
    }
  }

  #soon(withinMs: number, what: string, act: () => Promise<void>): void {
    this.#underWay += 1;
    this.#world.scheduler.after(this.#dice.between(0, withinMs), what, () => {
      act()
        .catch((error: unknown) => this.#world.violate('bug', `${what} saw ${(error as Error).stack}`))
        .finally(() => {
          this.#underWay -= 1;
        });
    });
  }

  async #customer(index: number): Promise<void> {
    const { withKey, repeats, cancels, packages, customers } = this.#sale;
    const packageId = this.#dice.chance(0.02) ? 99 : this.#dice.pick(packages).id;
    const email = `buyer${this.#dice.whole(0, Math.max(1, customers >> 1))}@example.com`;
    const key = this.#dice.chance(withKey) ? `key-${index}` : undefined;
    let order: Order | undefined;
    for (let tries = 0; tries < triesMax; tries++) {
      const answer = await this.#buys(packageId, email, key);
      order = answer?.kind === 'accepted' ? answer.order : (answer?.order ?? order);
      const mayRetry =
        answer === undefined || ['no_owner', 'overloaded', 'store_unavailable'].includes(codeOf(answer));
      if (!mayRetry && !this.#dice.chance(key === undefined ? 0 : repeats)) break;
      // Without a key it might be bought twice.
      if (key === undefined) break;
      await this.#pause(this.#dice.between(10, 3_000));
    }
    if (order !== undefined && this.#dice.chance(cancels)) await this.#cancels(order);
  }

  async #buys(packageId: number, email: string, key?: string): Promise<Accepted | Refused | undefined> {
    const instance = this.#anybody();
    if (instance === undefined) return undefined;
    const askedAt = this.#world.scheduler.now;
    const gone = new AbortController();
    if (this.#dice.chance(this.#sale.hangsUp)) {
      this.#world.scheduler.after(this.#dice.between(0, 3_000), 'hangs up', () => {
        this.#world.counters.count('hung up');
        gone.abort();
      });
    }
    const request = { packageId, email, gone: gone.signal, ...(key === undefined ? {} : { key }) };
    const answer = await this.#unless(instance, instance.engine.purchase(request));
    if (answer === undefined) return undefined;
    this.#world.counters.count(answer.kind === 'accepted' ? 'accepted' : `refused ${answer.code}`);
    if (answer.kind === 'refused') {
      if (answer.code === 'sold_out') this.#checks.saidSoldOut(packageId, askedAt);
      if (answer.code === 'internal') this.#world.violate('bug', 'a customer was told internal');
      return answer;
    }
    this.#checks.accepted(answer.order);
    const settling = { waitMs: this.#dice.pick([0, 1_000, 10_000]), gone: gone.signal };
    const outcome = await this.#unless(instance, instance.engine.outcome(answer.order, settling));
    if (outcome !== undefined) this.#hear(outcome);
    return { kind: 'accepted', order: outcome ?? answer.order };
  }

  #hear(outcome: Order): void {
    const stored = this.#store.orders.get(outcome.id);
    // What a customer was told has happened: only a cancellation may follow it.
    const isSo =
      stored !== undefined && (stored.status === outcome.status || !isSettled(outcome) || wasLater(stored));
    this.#world.require(
      isSo,
      'Q6',
      () => `order ${outcome.id} was told ${outcome.status} and is ${stored?.status}`,
    );
  }

  async #cancels(order: Order): Promise<void> {
    const instance = this.#anybody();
    if (instance === undefined) return;
    const latest = await this.#unless(
      instance,
      instance.engine.order(order.id).catch(() => undefined),
    );
    if (latest === undefined) return;
    const answer = await this.#unless(instance, instance.engine.cancel(latest));
    if (answer !== undefined)
      this.#world.counters.count(`cancel ${answer.kind === 'accepted' ? 'accepted' : answer.code}`);
  }

  async #operator(): Promise<void> {
    const instance = this.#anybody();
    if (instance === undefined) return;
    const { id } = this.#dice.pick(this.#sale.packages);
    const snapshot = await this.#unless(
      instance,
      instance.engine.package(id).catch(() => undefined),
    );
    if (snapshot === undefined) return;
    const { version, paused } = snapshot.package;
    const change =
      paused === true || this.#dice.chance(0.3)
        ? { paused: paused !== true }
        : { quota: Math.max(0, snapshot.package.quota + this.#dice.whole(-3, 5)) };
    const answer = await this.#unless(instance, instance.engine.amend(id, { version, ...change }));
    if (answer !== undefined)
      this.#world.counters.count(`amend ${answer.kind === 'refused' ? answer.code : 'done'}`);
  }

  #anybody(): SimInstance | undefined {
    const { ready } = this.#cluster;
    return ready.length === 0 ? undefined : this.#dice.pick(ready);
  }

  /** Nobody hears of a process that has died: the caller gives up after a while. */
  #unless<T>(instance: SimInstance, answer: Promise<T>): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      const { host } = instance;
      this.#world.scheduler.after(patienceMs, 'gives up', () => resolve(undefined));
      answer.then((value) => (host.isAlive ? resolve(value) : undefined), reject);
    });
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#world.scheduler.after(ms, 'waits', () => resolve()));
  }
}

function codeOf(answer: Accepted | Refused): string {
  return answer.kind === 'refused' ? answer.code : '';
}

function wasLater({ status }: Order): boolean {
  return status === 'cancelling' || status === 'cancelled';
}
