import type { Cluster } from './cluster.ts';
import type { Prng } from './prng.ts';
import type { SimInstance } from './sim-instance.ts';
import type { SimHost, World } from './world.ts';

const timeoutMs = 12_000;
/** No live process owes anybody an answer for so long, whatever it has lost; while it sleeps, none counts. */
const answeredWithinMs = 40_000;

interface Call {
  readonly host: SimHost;
  readonly since: number;
  /** How far the host's clock was off then, in ms. */
  readonly clockOffsetMs: number;
}

/** How people reach the instances: through a balancer that knows who is ready, and with a patience of their own. */
export class LoadBalancer {
  readonly #world: World;
  readonly #cluster: Cluster;
  readonly #prng: Prng;
  readonly #calls = new Set<Call>();

  constructor(world: World, cluster: Cluster, prng: Prng) {
    this.#world = world;
    this.#cluster = cluster;
    this.#prng = prng;
  }

  pickInstance(): SimInstance | undefined {
    const { ready } = this.#cluster;
    return ready.length === 0 ? undefined : this.#prng.pick(ready);
  }

  /** Once everything has settled: nobody was forgotten. */
  checkSettled(): void {
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
  withTimeout<T>({ host }: SimInstance, answer: Promise<T>): Promise<T | undefined> {
    const call = { host, since: this.#world.scheduler.now, clockOffsetMs: host.clockOffsetMs };
    this.#calls.add(call);
    void answer.finally(() => this.#calls.delete(call)).catch(() => {});
    return new Promise((resolve, reject) => {
      const cancel = this.#world.scheduler.after(timeoutMs, 'gives up', () => resolve(undefined));
      answer.then((value) => {
        if (!host.isAlive) return;
        cancel();
        resolve(value);
      }, reject);
    });
  }

  wait(ms: number): Promise<void> {
    return new Promise((resolve) => this.#world.scheduler.after(ms, 'waits', () => resolve()));
  }
}
