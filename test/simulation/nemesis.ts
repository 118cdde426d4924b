import { writeRequest } from '../../src/cluster/redis/protocol.ts';
import { isUnfinished } from '../../src/domain/order.ts';
import { encodeRequest } from '../../src/engine/actor/routing/protocol.ts';
import type { PartnerOutage } from './attempts.ts';
import type { Cluster } from './cluster.ts';
import type { Network } from './network.ts';
import { Outage } from './outage.ts';
import type { Prng } from './prng.ts';
import type { Services, SimInstance } from './sim-instance.ts';
import type { LeaseCore } from './sim-leases.ts';
import type { StoreCore } from './sim-store.ts';
import type { SimHost, World } from './world.ts';

const instancesMax = 5;
const everyMs = 1_000;
/** Timeout of the request to take over a package. */
const requestTimeoutMs = 2_000;
const outagesMs = [100, 2_000, 10_000];
const supplierOutagesMs = [2_000, 10_000, 30_000];
const clockJumpsMs = [-3_600_000, -10_000, -500, 500, 10_000, 3_600_000];

/** The packages for which a supplier or the payment provider fails. */
type PartnerOutages = Map<number, { readonly how: PartnerOutage; readonly until: number }>;

/** Injects the faults that are drawn once per virtual second. */
export class Nemesis {
  readonly #world: World;
  readonly #cluster: Cluster;
  readonly #leases: LeaseCore;
  readonly #network: Network;
  readonly #packageIds: readonly number[];
  readonly #prng: Prng;
  readonly #store: Outage;
  readonly #transport: Outage;
  readonly #supplierOutages: PartnerOutages = new Map();
  readonly #paymentOutages: PartnerOutages = new Map();
  readonly #core: StoreCore;
  /** The document that stays unreadable. */
  #lasting: number | string | undefined;
  #isHealed = false;

  constructor(
    world: World,
    cluster: Cluster,
    { leases, network, store, suppliers, payments }: Omit<Services, 'isAway'>,
  ) {
    this.#world = world;
    this.#cluster = cluster;
    this.#leases = leases;
    this.#network = network;
    this.#packageIds = [...store.packages.keys()];
    this.#core = store;
    this.#prng = world.prng.fork();
    this.#store = new Outage(world.scheduler);
    this.#transport = new Outage(world.scheduler);
    suppliers.outageOf = (packageId) => this.#outageOf(this.#supplierOutages, packageId);
    if (payments !== undefined)
      payments.outageOf = (packageId) => this.#outageOf(this.#paymentOutages, packageId);
    network.isAway = (host) => this.#transport.isAwayFor(host);
  }

  begin(): void {
    this.#world.scheduler.after(everyMs, 'nemesis', () => {
      if (this.#isHealed) return;
      this.#strike();
      this.begin();
    });
  }

  isStoreAway(host: SimHost): boolean {
    return this.#store.isAwayFor(host);
  }

  /** Ends all lasting faults. */
  heal(): void {
    this.#isHealed = true;
    this.#store.end();
    this.#transport.end();
    this.#network.cut.clear();
    this.#network.membersChanged(false);
    this.#supplierOutages.clear();
    this.#paymentOutages.clear();
    for (const id of this.#core.spoilt.keys()) if (id !== this.#lasting) this.#repair(id);
  }

  #strike(): void {
    const world = this.#world;
    const prng = this.#prng;
    const instance = this.#cluster.alive.length === 0 ? undefined : prng.pick(this.#cluster.alive);
    if (world.strikes('storeOutage')) this.#store.begin(prng.pick(outagesMs), this.#oneOrAll(instance));
    if (world.strikes('carrierOutage')) this.#transport.begin(prng.pick(outagesMs), this.#oneOrAll(instance));
    if (world.strikes('supplierOutage')) this.#beginOutage(this.#supplierOutages);
    if (world.strikes('paymentOutage')) this.#beginOutage(this.#paymentOutages);
    if (world.strikes('leaseWipe')) this.#leases.wipe();
    if (world.strikes('partition')) this.#partition();
    if (instance !== undefined && world.strikes('rival')) this.#requestTakeover(instance.host);
    if (world.strikes('spoils')) this.#spoil();
    if (world.strikes('joins') && this.#cluster.alive.length < instancesMax) this.#cluster.add();
    if (instance === undefined) return;
    if (world.strikes('clockJump')) instance.host.clockOffsetMs += prng.pick(clockJumpsMs);
    const { ready } = this.#cluster;
    if (world.strikes('leaves') && ready.length > 1) this.#cluster.leave(prng.pick(ready));
  }

  #beginOutage(outages: PartnerOutages): void {
    const prng = this.#prng;
    const ids = prng.chance(0.7) ? [prng.pick(this.#packageIds)] : this.#packageIds;
    const until = this.#world.scheduler.now + prng.pick(supplierOutagesMs);
    const how = prng.pick(['fails', 'hangs'] as const);
    for (const id of ids) outages.set(id, { how, until });
  }

  #outageOf(outages: PartnerOutages, packageId: number): PartnerOutage | undefined {
    const outage = outages.get(packageId);
    return outage !== undefined && this.#world.scheduler.now < outage.until ? outage.how : undefined;
  }

  /** Makes a package or one of its orders unreadable, as a newer release or a damage does. */
  #spoil(): void {
    const prng = this.#prng;
    const packageId = prng.pick(this.#packageIds);
    const orders = this.#core.ordersOf(packageId);
    const unfinished = orders.filter(isUnfinished);
    const choice = unfinished.length > 0 ? unfinished : orders;
    const id = choice.length === 0 || prng.chance(0.4) ? packageId : prng.pick(choice).id;
    if (this.#core.spoilt.has(id) || !this.#core.packages.has(packageId)) return;
    this.#world.counters.count(typeof id === 'number' ? 'unreadable package' : 'unreadable order');
    this.#core.spoil(id, prng.pick([2, 'damaged']));
    if (this.#lasting === undefined && prng.chance(0.2)) {
      this.#lasting = id;
      this.#world.counters.count('unreadable for ever');
    } else
      this.#world.scheduler.after(prng.pick([500, 5_000, 20_000]), 'a document is readable', () =>
        this.#repair(id),
      );
  }

  #repair(id: number | string): void {
    this.#core.spoil(id, 1, this.#world.scheduler.now);
  }

  #oneOrAll(instance: SimInstance | undefined): SimHost | undefined {
    return this.#prng.chance(0.5) ? undefined : instance?.host;
  }

  /** Sends the wake request of an instance that left and expected this instance to take over. */
  #requestTakeover({ name }: SimHost): void {
    const { scheduler } = this.#world;
    const body = encodeRequest({ kind: 'wake', packageIds: [this.#prng.pick(this.#packageIds)] });
    const id = `wake-${this.#network.nextLife()}`;
    const until = scheduler.now + requestTimeoutMs;
    this.#network.node(name)?.receive('request', writeRequest({ id, from: 'gone', until, body }));
  }

  /** Loses the messages from one instance to another, in one direction. */
  #partition(): void {
    const names = this.#cluster.alive.map(({ host }) => host.name);
    if (names.length < 2) return;
    const from = this.#prng.pick(names);
    const to = this.#prng.pick(names.filter((name) => name !== from));
    const link = `${from}>${to}`;
    this.#network.cut.add(link);
    this.#network.membersChanged(true);
    this.#world.scheduler.after(this.#prng.pick([500, 5_000, 20_000]), `${link} is whole again`, () => {
      this.#network.cut.delete(link);
      this.#network.membersChanged(false);
    });
  }
}
