import type { Cluster } from './cluster.ts';
import type { Dice } from './dice.ts';
import type { SimInstance } from './sim-instance.ts';
import type { SimHost, World } from './world.ts';

const patienceMs = 12_000;
/** No live process owes anybody an answer for so long, whatever it has lost; while it sleeps, none counts. */
const answeredWithinMs = 40_000;

interface Call {
  readonly host: SimHost;
  readonly since: number;
  /** How far the host's clock was off then, in ms. */
  readonly clockOffsetMs: number;
}

/** How people reach the instances: through a balancer that knows who is ready, and with a patience of their own. */
export class Access {
  readonly #world: World;
  readonly #cluster: Cluster;
  readonly #dice: Dice;
  readonly #calls = new Set<Call>();

  constructor(world: World, cluster: Cluster, dice: Dice) {
    this.#world = world;
    this.#cluster = cluster;
    this.#dice = dice;
  }

  anybody(): SimInstance | undefined {
    const { ready } = this.#cluster;
    return ready.length === 0 ? undefined : this.#dice.pick(ready);
  }

  /** Once everything has settled: nobody was forgotten. */
  settled(): void {
    const { scheduler } = this.#world;
    for (const { host, since, clockOffsetMs } of this.#calls) {
      // Patience is measured by the host's clock, which may have been set back.
      const longerMs = Math.max(0, clockOffsetMs - host.clockOffsetMs);
      const waitedMs = scheduler.now - Math.max(since, host.pausedUntil) - longerMs;
      const isOwed = host.isAlive && waitedMs > answeredWithinMs;
      this.#world.require(
        !isOwed,
        'Q6',
        () => `${host.name} has never answered a call of ${since.toFixed(0)}`,
      );
    }
  }

  /** Nobody hears of a process that has died: the caller gives up after a while. */
  answer<T>({ host }: SimInstance, answer: Promise<T>): Promise<T | undefined> {
    const call = { host, since: this.#world.scheduler.now, clockOffsetMs: host.clockOffsetMs };
    this.#calls.add(call);
    void answer.finally(() => this.#calls.delete(call)).catch(() => {});
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
