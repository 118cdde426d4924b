import { writeRequest } from '../../src/cluster/redis/wire.ts';
import { encodeRequest } from '../../src/engine/actor/routing/wire.ts';
import type { Cluster } from './cluster.ts';
import type { Dice } from './dice.ts';
import type { Network } from './network.ts';
import { Outage } from './outage.ts';
import type { Services, SimInstance } from './sim-instance.ts';
import type { LeaseCore } from './sim-leases.ts';
import type { SimHost, World } from './world.ts';

const instancesMax = 5;
const everyMs = 1_000;
/** How long somebody waits for an answer. */
const askedForMs = 2_000;
const outagesMs = [100, 2_000, 10_000];

/** The faults that come by themselves, looked for once per second. */
export class Nemesis {
  readonly #world: World;
  readonly #cluster: Cluster;
  readonly #leases: LeaseCore;
  readonly #network: Network;
  readonly #packageIds: readonly number[];
  readonly #dice: Dice;
  readonly #store: Outage;
  readonly #carrier: Outage;
  #isHealed = false;

  constructor(
    world: World,
    cluster: Cluster,
    { leases, network, store }: Pick<Services, 'leases' | 'network' | 'store'>,
  ) {
    this.#world = world;
    this.#cluster = cluster;
    this.#leases = leases;
    this.#network = network;
    this.#packageIds = [...store.shelves.keys()];
    this.#dice = world.dice.fork();
    this.#store = new Outage(world.scheduler);
    this.#carrier = new Outage(world.scheduler);
    network.isAway = (host) => this.#carrier.isAwayFor(host);
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

  /** Ends whatever lasts: from here on everything works. */
  heal(): void {
    this.#isHealed = true;
    this.#store.end();
    this.#carrier.end();
    this.#network.cut.clear();
    this.#network.changed(false);
    for (const instance of this.#cluster.alive) {
      if (instance.breakerIsOpen()) instance.toggleBreaker();
    }
  }

  #strike(): void {
    const world = this.#world;
    const { scheduler } = world;
    const dice = this.#dice;
    const anybody = this.#cluster.alive.length === 0 ? undefined : dice.pick(this.#cluster.alive);
    if (world.strikes('storeOutage')) this.#store.begin(dice.pick(outagesMs), this.#oneOrAll(anybody));
    if (world.strikes('carrierOutage')) this.#carrier.begin(dice.pick(outagesMs), this.#oneOrAll(anybody));
    if (world.strikes('leaseWipe')) this.#leases.wipe();
    if (world.strikes('partition')) this.#cutSomebodyOff();
    if (anybody !== undefined && world.strikes('rival')) this.#callForTakeover(anybody.host);
    if (world.strikes('joins') && this.#cluster.alive.length < instancesMax) this.#cluster.add();
    if (anybody === undefined) return;
    if (world.strikes('clockJump')) anybody.host.clockOffsetMs += dice.pick([-10_000, -500, 500, 10_000]);
    if (world.strikes('breaker')) {
      anybody.toggleBreaker();
      const close = () => {
        if (anybody.host.isAlive && anybody.breakerIsOpen()) anybody.toggleBreaker();
      };
      scheduler.after(dice.pick([300, 3_000]), 'the breaker closes', close);
    }
    const { ready } = this.#cluster;
    if (world.strikes('leaves') && ready.length > 1) this.#cluster.leave(dice.pick(ready));
  }

  #oneOrAll(anybody: SimInstance | undefined): SimHost | undefined {
    return this.#dice.chance(0.5) ? undefined : anybody?.host;
  }

  /** As from a fellow that left, and believed that this one comes next. */
  #callForTakeover({ name }: SimHost): void {
    const { scheduler } = this.#world;
    const body = encodeRequest({ kind: 'wake', packageIds: [this.#dice.pick(this.#packageIds)] });
    const id = `wake-${this.#network.nextLife()}`;
    const until = scheduler.now + askedForMs;
    this.#network.station(name)?.take('request', writeRequest({ id, from: 'gone', until, body }));
  }

  /** One way only: it hears the others, and they do not hear it, or the other way round. */
  #cutSomebodyOff(): void {
    const names = this.#cluster.alive.map(({ host }) => host.name);
    if (names.length < 2) return;
    const from = this.#dice.pick(names);
    const to = this.#dice.pick(names.filter((name) => name !== from));
    const way = `${from}>${to}`;
    this.#network.cut.add(way);
    this.#network.changed(true);
    this.#world.scheduler.after(this.#dice.pick([500, 5_000, 20_000]), `${way} is whole again`, () => {
      this.#network.cut.delete(way);
      this.#network.changed(false);
    });
  }
}
