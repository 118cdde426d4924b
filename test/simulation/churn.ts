import type { Cluster } from './cluster.ts';
import type { Network } from './network.ts';
import { Prng } from './prng.ts';
import type { World } from './world.ts';

/** The time in which an upgrade begins, in ms. */
const withinMs = 18_000;
const flapMs = 1_000;
/** How long the first instance of a newer release runs before it crashes, in ms. */
const newestLivesMs = 11_000;

/**
 * In some seeds a newer release replaces the older one, process by process, and in some a member that takes over nothing
 * comes and goes until the end. Draws from random numbers of its own, so all other seeds run as if there were neither.
 */
export class Churn {
  readonly #world: World;
  readonly #cluster: Cluster;
  readonly #network: Network;
  readonly #prng: Prng;
  #isUpgraded = false;

  constructor(world: World, cluster: Cluster, network: Network, seed: number) {
    this.#world = world;
    this.#cluster = cluster;
    this.#network = network;
    this.#prng = new Prng(seed ^ 0x2545_f491);
  }

  /** @param isFlapping whether the member comes and goes in any case */
  begin(isFlapping = false): void {
    const prng = this.#prng;
    if (prng.chance(0.2) || isFlapping) this.#flap();
    if (prng.chance(0.2)) this.#upgrade(prng.between(0, withinMs));
  }

  /** After the faults an instance of the newest release runs, which can own every package. */
  heal(): void {
    if (this.#isUpgraded) this.#cluster.add();
  }

  #upgrade(atMs: number): void {
    const { scheduler, counters } = this.#world;
    scheduler.after(atMs, 'a newer release is installed', () => {
      counters.count('upgrade');
      this.#isUpgraded = true;
      this.#cluster.upgrade();
      const newest = this.#cluster.alive.at(-1)?.host;
      scheduler.after(this.#prng.between(1_000, newestLivesMs), 'the newest crashes', () =>
        newest?.crash('soon after the upgrade'),
      );
    });
  }

  #flap(): void {
    const network = this.#network;
    this.#world.scheduler.after(flapMs, 'a member comes or goes', () => {
      this.#world.counters.count('member flaps');
      network.ghost = network.ghost === undefined ? 'ghost' : undefined;
      network.membersChanged(false);
      this.#flap();
    });
  }
}
