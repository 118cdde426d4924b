import type { Cluster } from './cluster.ts';
import type { Prng } from './prng.ts';
import type { SimInstance } from './sim-instance.ts';
import type { SimHost, World } from './world.ts';

const timeoutMs = 12_000;
/**
 * Every live process answers within this time, whatever messages are lost. Time in which the process is paused does not
 * count.
 */
const answeredWithinMs = 40_000;

interface Call {
  readonly host: SimHost;
  readonly since: number;
}

/** Sends calls to ready instances and gives up after a timeout, as a load balancer and its clients do. */
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

  /** Checks at the end that no call was left without an answer. */
  checkSettled(): void {
    const { scheduler } = this.#world;
    for (const { host, since } of this.#calls) {
      const waitedMs = scheduler.now - Math.max(since, host.pausedUntil);
      const isOwed = host.isAlive && waitedMs > answeredWithinMs;
      this.#world.require(
        !isOwed,
        'Q6',
        () => `${host.name} has never answered a call of ${since.toFixed(0)}`,
      );
    }
  }

  /** Resolves with the answer, or undefined after a timeout, also if the process has died. */
  withTimeout<T>({ host }: SimInstance, answer: Promise<T>): Promise<T | undefined> {
    const call = { host, since: this.#world.scheduler.now };
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
