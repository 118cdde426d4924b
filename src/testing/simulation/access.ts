import type { Cluster } from './cluster.ts';
import type { Dice } from './dice.ts';
import type { SimInstance } from './sim-instance.ts';
import type { World } from './world.ts';

const patienceMs = 12_000;

/** How people reach the instances: through a balancer that knows who is ready, and with a patience of their own. */
export class Access {
  readonly #world: World;
  readonly #cluster: Cluster;
  readonly #dice: Dice;

  constructor(world: World, cluster: Cluster, dice: Dice) {
    this.#world = world;
    this.#cluster = cluster;
    this.#dice = dice;
  }

  anybody(): SimInstance | undefined {
    const { ready } = this.#cluster;
    return ready.length === 0 ? undefined : this.#dice.pick(ready);
  }

  /** Nobody hears of a process that has died: the caller gives up after a while. */
  answer<T>({ host }: SimInstance, answer: Promise<T>): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      const cancel = this.#world.scheduler.after(patienceMs, 'gives up', () => resolve(undefined));
      answer.then((value) => {
        if (!host.isAlive) return;
        cancel();
        resolve(value);
      }, reject);
    });
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#world.scheduler.after(ms, 'waits', () => resolve()));
  }
}
