import type { Cluster } from './cluster.ts';
import type { Dice } from './dice.ts';
import type { LeaseCore } from './sim-leases.ts';
import type { Network } from './sim-messages.ts';
import type { SimHost, World } from './world.ts';

const instancesMax = 5;
const everyMs = 1_000;

/** The faults that come by themselves, looked for once per second. */
export class Nemesis {
  readonly #world: World;
  readonly #cluster: Cluster;
  readonly #leases: LeaseCore;
  readonly #network: Network;
  readonly #dice: Dice;
  /** Until when the store is away: for everybody, and by host. */
  #storeBackAt = 0;
  readonly #storeBackFor = new Map<string, number>();
  #isHealed = false;

  constructor(world: World, cluster: Cluster, leases: LeaseCore, network: Network) {
    this.#world = world;
    this.#cluster = cluster;
    this.#leases = leases;
    this.#network = network;
    this.#dice = world.dice.fork();
  }

  begin(): void {
    this.#world.scheduler.after(everyMs, 'nemesis', () => {
      if (this.#isHealed) return;
      this.#strike();
      this.begin();
    });
  }

  isStoreAway(host: SimHost): boolean {
    const { now } = this.#world.scheduler;
    return now < this.#storeBackAt || now < (this.#storeBackFor.get(host.name) ?? 0);
  }

  /** Ends whatever lasts: from here on everything works. */
  heal(): void {
    this.#isHealed = true;
    this.#storeBackAt = 0;
    this.#storeBackFor.clear();
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
    if (world.strikes('storeOutage')) {
      const backAt = scheduler.now + dice.pick([100, 2_000, 10_000]);
      if (anybody === undefined || dice.chance(0.5)) this.#storeBackAt = backAt;
      else this.#storeBackFor.set(anybody.host.name, backAt);
    }
    if (world.strikes('leaseWipe')) this.#leases.wipe();
    if (world.strikes('partition')) this.#cutSomebodyOff();
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
