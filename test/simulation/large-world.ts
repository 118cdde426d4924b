import { claimAtOnce, type Order, orderIdBytes, orderIdFrom, queue } from '../../src/domain/order.ts';
import type { Inventory, TravelPackage } from '../../src/domain/travel-package.ts';
import type { AnswerChecks } from './answer-checks.ts';
import type { Cluster } from './cluster.ts';
import type { CommonRates } from './faults.ts';
import { Prng } from './prng.ts';
import type { Sale } from './sale.ts';
import { leaseTtlMs, type Services, type SimInstance } from './sim-instance.ts';
import type { StoreCore } from './sim-store.ts';
import { epochMs, simHost, type World } from './world.ts';

type Kind = 'many packages' | 'long queue';

/** Of this number of seeds, one has many packages and one has a long queue. */
const everySeeds = 250;
const kinds: ReadonlyMap<number, Kind> = new Map([
  [50, 'many packages'],
  [100, 'long queue'],
]);

/** More than every limit of the product for packages: a page of the list has 1,000, a scan moves 100. */
const packagesMin = 1_001;
/** The packages with an unfinished order. */
const [orphansMin, orphansMax] = [520, 640];
/** More than one page of a takeover, which has 2,000 orders. */
const [queueMin, queueMax] = [2_010, 2_400];

/** A large world has this many times as many calls and steps, so faults that are drawn for each of them are rarer. */
const largerBy = 50;
const perCall: readonly (keyof CommonRates)[] = [
  'crashBefore',
  'crashAfter',
  'crashStep',
  'pause',
  'leaseWipe',
];

/** The time from the end of the faults to the hand-over, in ms. Most packages have an owner by then. */
const handOverAfterMs = 8_000;

/** A hand-over of so many packages is counted. */
const manyOwned = 51;

function ownedBy({ engine }: SimInstance): number {
  return engine.load().packages.length;
}

/** The world of the seed if it is a large one. */
export function largeWorld(seed: number): LargeWorld | undefined {
  const kind = kinds.get(seed % everySeeds);
  return kind === undefined ? undefined : new LargeWorld(kind, seed);
}

/**
 * A world with more packages, or with a longer queue, than every limit in the product. All processes of a cluster have
 * died in the middle of a sale, and a new cluster starts. So there are many orders without many customers.
 * Draws from random numbers of its own, so all other seeds run as if there were no large worlds.
 */
class LargeWorld {
  readonly #kind: Kind;
  readonly #prng: Prng;
  readonly #packages: readonly TravelPackage[];
  /** The packages up to this id are paused, so their orders stay in the queue. */
  readonly #pausedTo: number;
  /** The packages up to this id have an unfinished order. */
  readonly #orphansTo: number;
  readonly #waiting: number;
  readonly #isHandedOver: boolean;
  /** Whether the last instance has left. */
  isOver = true;
  /** The time with faults, in ms. Short, because every active package extends its lease again and again. */
  readonly faultsMs = 10_000;
  /** The least number of waiting orders that one commit rejects: every commit of a long queue costs time. */
  readonly rejectionsMin = 100;

  constructor(kind: Kind, seed: number) {
    const prng = new Prng(seed ^ 0x6c62_272e);
    this.#kind = kind;
    this.#prng = prng;
    this.#isHandedOver = Math.floor(seed / everySeeds) % 2 === 0;
    this.#orphansTo = kind === 'long queue' ? 1 : prng.whole(orphansMin, orphansMax);
    this.#pausedTo = kind === 'long queue' ? 0 : prng.pick([200, 400]);
    this.#waiting = kind === 'long queue' ? prng.whole(queueMin, queueMax) : 0;
    const count = kind === 'long queue' ? 1 : packagesMin + prng.whole(0, 99);
    this.#packages = Array.from({ length: count }, (_, index) => ({
      ...{
        id: index + 1,
        flight: `Flight-${index + 1}`,
        stay: '2030-02-01',
        price: 100,
        quota: 1,
        version: 1,
      },
      ...(index < this.#pausedTo && { paused: true }),
    }));
  }

  /** Whether a member that takes over nothing comes and goes, so that no package moves to its preferred owner. */
  get isFlapping(): boolean {
    return this.#kind === 'many packages';
  }

  faults(drawn: CommonRates): CommonRates {
    const rarer = perCall.map((fault) => [fault, drawn[fault] / largerBy]);
    return { ...drawn, ...Object.fromEntries(rarer) };
  }

  sale(drawn: Sale): Sale {
    const rules = { waitersPerUnit: 1e6, waitersMax: this.#waiting, ordersPerEmail: 0 };
    return {
      ...drawn,
      packages: this.#packages,
      customers: Math.min(drawn.customers, 15),
      rushMs: 5_000,
      ...(this.#kind === 'long queue' && rules),
    };
  }

  /** Stores what the cluster that died had stored. Some of its leases have not expired. */
  begin(world: World, { store, leases }: Pick<Services, 'store' | 'leases'>, answers: AnswerChecks): void {
    world.counters.count(`world of ${this.#kind}`);
    // The product's own size of a page. It has a default.
    if (this.#kind === 'long queue') store.takeoverPage = undefined;
    const host = { ...simHost('former', () => {}), isAlive: false };
    const isLeased = this.#prng.chance(0.8);
    for (const { id } of this.#packages.slice(0, this.#orphansTo)) {
      const { fence } = store.raiseEpoch(id, host.name, host) as { fence: { epoch: number; seq: number } };
      const { orders, inventory } = this.#stored(id);
      for (const order of orders) answers.onPurchaseSent(order);
      store.commit(id, fence, { inventory, inserted: orders, updated: [] }, host);
      if (isLeased && id > this.#pausedTo) leases.grant(id, host, world.scheduler.now, leaseTtlMs, true);
    }
  }

  /** Starts one instance, and the others when it owns packages. Sometimes one crashes. */
  start(world: World, cluster: Cluster): void {
    const prng = this.#prng;
    const { scheduler } = world;
    cluster.add();
    for (let each = prng.pick([1, 2]); each > 0; each--) {
      scheduler.after(prng.between(1_500, 4_000), 'another instance starts', () => cluster.add());
    }
    if (prng.chance(0.3)) {
      scheduler.after(prng.between(7_000, this.faultsMs), 'one crashes', () => {
        const { ready } = cluster;
        if (ready.length > 1) prng.pick(ready).host.crash('with all its packages');
      });
    }
  }

  /** In every other large world the owner of the most packages hands them over, when nothing fails any more. */
  heal({ scheduler, counters }: World, cluster: Cluster): void {
    if (!this.#isHandedOver) return;
    this.isOver = false;
    cluster.add();
    scheduler.after(handOverAfterMs, 'the greatest owner leaves', () => {
      const [greatest] = cluster.ready.toSorted((one, other) => ownedBy(other) - ownedBy(one));
      this.isOver = true;
      if (greatest === undefined) return;
      if (ownedBy(greatest) >= manyOwned) counters.count('hand-over of many packages');
      cluster.leave(greatest);
    });
  }

  /** Counts what only a large world shows. */
  end({ counters }: World, { packages }: StoreCore): void {
    const taken = [...packages.values()].filter(({ epoch }) => epoch > 1).length;
    if (taken >= orphansMin) counters.count('hundreds of packages were taken over');
  }

  /** The orders of a package, and its inventory: the unit is held and others wait, or the sale is paused. */
  #stored(id: number): { readonly orders: readonly Order[]; readonly inventory: Inventory } {
    const isPaused = id <= this.#pausedTo;
    const waiting = isPaused ? 1 : this.#waiting;
    const held = isPaused ? 0 : 1;
    const orders = Array.from({ length: held + waiting }, (_, index) =>
      this.#order(id, index + 1, index < held),
    );
    const none = { confirmed: 0, cancelling: 0 };
    return {
      orders,
      inventory: { ...none, remaining: 1 - held, held, waiting, nextNumber: orders.length + 1 },
    };
  }

  #order(packageId: number, number: number, isHeld: boolean): Order {
    const { flight, stay, price } = this.#packages[packageId - 1] as TravelPackage;
    const order = {
      id: orderIdFrom(epochMs, this.#prng.bytes(orderIdBytes)),
      ...{ packageId, number, package: { flight, stay, price } },
      email: `former${number}@example.com`,
      createdAt: epochMs,
    };
    return isHeld ? claimAtOnce(order, epochMs) : queue(order, epochMs);
  }
}
