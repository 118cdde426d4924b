import { noticeChannels } from '../../src/domain/notices.ts';
import { defined } from '../../src/lib/defined.ts';
import { AnswerChecks } from './answer-checks.ts';
import { Checks } from './checks.ts';
import { Churn } from './churn.ts';
import { Cluster, restartMsMax } from './cluster.ts';
import { drawFaults, noPaymentFaults } from './faults.ts';
import { largeWorld } from './large-world.ts';
import { Nemesis } from './nemesis.ts';
import { Network } from './network.ts';
import { Operators } from './operators.ts';
import { OrderChecks } from './order-checks.ts';
import { paymentSale } from './payment-sale.ts';
import { Payments } from './payments.ts';
import { Prng } from './prng.ts';
import { drawSale } from './sale.ts';
import { Scheduler } from './scheduler.ts';
import { leaseTtlMs, type Services } from './sim-instance.ts';
import { LeaseCore } from './sim-leases.ts';
import { Receivers } from './sim-notices.ts';
import { StoreCore } from './sim-store.ts';
import { SupplierCore } from './sim-suppliers.ts';
import { SoldOutTimes } from './sold-out-times.ts';
import { Workload } from './workload.ts';
import { World } from './world.ts';

/** The result of one seed. */
export interface SeedResult {
  readonly seed: number;
  /** The first broken promise. */
  readonly violation?: string;
  /** Hash of the history, equal on every machine. */
  readonly hash: string;
  readonly steps: number;
  readonly counters: Readonly<Record<string, number>>;
}

export interface SimulationOptions {
  /** Whether mails and webhooks tell of the events of orders. Default false. */
  readonly notices?: boolean;
}

/** The time with faults, and then the maximum time without faults until everything has settled, in ms. */
const faultsMs = 30_000;
const calmMs = 180_000;
const lookEveryMs = 1_000;
/** Q6: a package has an owner within this time after its last lease expired, in ms. */
const ownerWithinMs = 5_000;

/**
 * Simulates a sale on several instances of the production engine, with faults that are drawn from the seed.
 * The promises are checked after every step. Then the faults end, and all orders must finish.
 * @param trace called with each line of the history.
 */
export async function simulate(
  seed: number,
  trace?: (line: string) => void,
  { notices = false }: SimulationOptions = {},
): Promise<SeedResult> {
  const scheduler = new Scheduler(trace);
  const prng = new Prng(seed);
  const large = largeWorld(seed);
  const paying = large === undefined ? paymentSale(seed) : undefined;
  const drawnFaults = drawFaults(prng);
  const faults = large?.faults(drawnFaults) ?? drawnFaults;
  const world = new World(scheduler, prng, { ...noPaymentFaults, ...faults, ...paying?.faults });
  const drawnSale = drawSale(prng);
  const sale = large?.sale(drawnSale) ?? paying?.sale(drawnSale) ?? drawnSale;
  const packages = large === undefined ? sale.packages : sale.packages.length;
  scheduler.note(`seed ${seed}: ${JSON.stringify({ faults, sale: { ...sale, packages } })}`);
  if (paying !== undefined) scheduler.note(`payments: ${JSON.stringify(paying)}`);

  const store = new StoreCore();
  const payments = paying && new Payments(world, store, paying);
  const receivers = notices ? new Receivers(world, store, seed) : undefined;
  const services: Services = {
    store,
    leases: new LeaseCore(),
    suppliers: new SupplierCore(),
    payments: payments?.core,
    network: new Network(world),
    isAway: (host) => nemesis.isStoreAway(host),
    ...defined({ receivers }),
  };
  store.add(sale.packages);
  const soldOut = new SoldOutTimes();
  const orderChecks = new OrderChecks(world, services.suppliers, payments?.core, sale);
  const checks = new Checks(
    world,
    store,
    services.leases,
    services.suppliers,
    soldOut,
    orderChecks,
    payments?.checks,
  );
  const answers = new AnswerChecks(world, store, soldOut);
  large?.begin(world, services, answers);
  const { waitersPerUnit, waitersMax, ordersPerEmail } = sale;
  const cluster = new Cluster(world, services, {
    waitersPerUnit,
    waitersMax,
    ordersPerEmail,
    rejectionsMax: Math.max(prng.pick([2, 500]), large?.rejectionsMin ?? 0),
    payments: paying?.rules,
    ...(notices ? { noticeChannels } : {}),
  });
  payments?.open(cluster, answers);
  const nemesis = new Nemesis(world, cluster, services);
  const workload = new Workload(world, cluster, answers, sale);
  const operators = new Operators(world, cluster, store, services.suppliers, seed);
  const churn = new Churn(world, cluster, services.network, seed);
  const unexpected = (error: unknown) => world.violate('bug', `unhandled: ${String(error)}`, error);
  process.on('unhandledRejection', unexpected);
  try {
    const instances = prng.pick([1, 2, 3, 3, 4]);
    if (large !== undefined) large.start(world, cluster);
    else for (let each = instances; each > 0; each--) cluster.add();
    workload.begin();
    operators.begin();
    nemesis.begin();
    churn.begin(large?.isFlapping);
    await runFor(large?.faultsMs ?? faultsMs);
    scheduler.note('everything works again');
    world.heal();
    nemesis.heal();
    churn.heal();
    if (cluster.alive.length === 0) cluster.add();
    large?.heal(world, cluster);
    payments?.heal(cluster);
    const pausedUntil = Math.max(scheduler.now, ...cluster.alive.map(({ host }) => host.pausedUntil));
    const ownedBy = Math.max(pausedUntil, scheduler.now + restartMsMax) + leaseTtlMs + ownerWithinMs;
    let isOwnedChecked = false;
    const end = scheduler.now + calmMs + (payments?.calmMs ?? 0);
    // Wait for one lease, because a lost owner is noticed only after its lease has expired.
    await runFor(leaseTtlMs);
    while (!isSettled() && scheduler.now < end && world.violation === undefined) {
      await runFor(lookEveryMs);
      if (isOwnedChecked || scheduler.now < ownedBy) continue;
      isOwnedChecked = true;
      checks.checkOwners(scheduler.now);
    }
    if (world.violation === undefined) checks.checkSettled();
    if (world.violation === undefined) answers.checkSettled();
    if (world.violation === undefined) workload.checkSettled();
    if (world.violation === undefined) payments?.checkSettled();
    if (world.violation === undefined) receivers?.checkSettled();
  } finally {
    process.off('unhandledRejection', unexpected);
  }
  for (const { status } of store.orders.values()) world.counters.count(`outcome ${status}`);
  large?.end(world, store);
  payments?.end();
  const { violation } = world;
  return {
    seed,
    ...(violation === undefined ? {} : { violation }),
    hash: scheduler.digest(),
    steps: scheduler.steps,
    counters: world.counters.toJSON(),
  };

  async function runFor(ms: number): Promise<void> {
    await scheduler.runUntil(scheduler.now + ms, () => world.violation !== undefined);
  }

  function isSettled(): boolean {
    if (!workload.isOver || !operators.isOver || large?.isOver === false) return false;
    if (payments?.isOver === false) return false;
    if (receivers?.isOver === false) return false;
    return [...store.packages.keys()].every((id) => !store.isOwnable(id) || !store.hasWork(id));
  }
}
