import type { AnswerChecks } from './answer-checks.ts';
import { Buyers } from './buyers.ts';
import type { Cluster } from './cluster.ts';
import { LoadBalancer } from './load-balancer.ts';
import { PaymentChecks } from './payment-checks.ts';
import { PaymentEvents } from './payment-events.ts';
import type { PaymentSale } from './payment-sale.ts';
import { PaymentCore } from './sim-payments.ts';
import type { StoreCore } from './sim-store.ts';
import type { World } from './world.ts';

/** So many units may be held in vain, one after the other, until all has settled. */
const unpaidInARow = 30;

/** The provider, its buyers, its events and the checks of a seed in which orders have to be paid. */
export class Payments {
  readonly core: PaymentCore;
  readonly checks: PaymentChecks;
  /** How much longer it may take until all has settled, in ms. */
  readonly calmMs: number;
  readonly #world: World;
  readonly #store: StoreCore;
  readonly #sale: PaymentSale;
  #balancer: LoadBalancer | undefined;
  #buyers: Buyers | undefined;

  constructor(world: World, store: StoreCore, sale: PaymentSale) {
    this.#world = world;
    this.#store = store;
    this.#sale = sale;
    this.core = new PaymentCore(world, sale.showsAmounts);
    this.checks = new PaymentChecks(world, store, this.core, sale);
    this.calmMs = unpaidInARow * sale.rules.windowMs;
  }

  /** Lets buyers come to the provider's pages, and events to the cluster. */
  open(cluster: Cluster, answers: AnswerChecks): void {
    const balancer = new LoadBalancer(this.#world, cluster, this.#sale.prng);
    const events = new PaymentEvents(this.#world, this.core, balancer, this.#sale.prng);
    const parts = { store: this.#store, core: this.core, sale: this.#sale };
    this.#balancer = balancer;
    this.#buyers = new Buyers(this.#world, { ...parts, events, balancer, answers });
  }

  /** Whether all buyers have done what they wanted. */
  get isOver(): boolean {
    return this.#buyers?.isOver !== false;
  }

  heal(cluster: Cluster): void {
    this.#buyers?.heal(cluster);
  }

  /** The checks at the end, when nothing is under way. */
  checkSettled(): void {
    this.#balancer?.checkSettled();
  }

  /** Counts what has become of orders and payments. */
  end(): void {
    const { counters } = this.#world;
    counters.count('world with payments');
    for (const { status } of this.core.ledger.values()) counters.count(`payment ${status}`);
    for (const { reason } of this.#store.orders.values()) {
      if (reason?.startsWith('payment_') === true) counters.count(`unpaid: ${reason}`);
    }
  }
}
