import type { PackageRules } from '../../src/domain/decide.ts';
import { type Services, type SimInstance, simInstance } from './sim-instance.ts';
import { type SimHost, simHost, type World } from './world.ts';

/** Possible restart times after a crash, in ms. */
const restartMs = [100, 1_000, 6_000];
export const restartMsMax = Math.max(...restartMs);
/** How long a draining instance still answers. */
const lastAnswersMs = 10_000;

/** The simulated processes. They crash and restart, join and leave. */
export class Cluster {
  readonly #world: World;
  readonly #services: Services;
  readonly #rules: PackageRules;
  readonly #instances = new Map<string, SimInstance>();
  #names = 0;
  /** The release of the processes that start. */
  #release = 1;

  constructor(world: World, services: Services, rules: PackageRules) {
    this.#world = world;
    this.#services = services;
    this.#rules = rules;
  }

  /** Live instances that accept customers. */
  get ready(): SimInstance[] {
    return [...this.#instances.values()].filter(({ host, isReady }) => host.isAlive && isReady);
  }

  get alive(): SimInstance[] {
    return [...this.#instances.values()].filter(({ host }) => host.isAlive);
  }

  add(): void {
    this.#names += 1;
    this.#begin(`i${this.#names}`);
  }

  /** From now on processes of a newer release start, and one does so at once. Packages that they own become theirs. */
  upgrade(): void {
    this.#release += 1;
    this.add();
  }

  /** Drains an instance as SIGTERM does. The instance hands its packages over, answers waiting callers and ends. */
  leave(instance: SimInstance): void {
    const { host, engine, notifications } = instance;
    const { scheduler, counters } = this.#world;
    instance.isReady = false;
    counters.count('drained');
    scheduler.note(`${host.name} leaves`);
    scheduler.after(lastAnswersMs, 'closes', () => engine.close(), host);
    scheduler.after(lastAnswersMs + 1_000, 'ends', () => this.#ended(host), host);
    engine
      .drain()
      .then(() => notifications?.close())
      .catch((error: unknown) => {
        this.#world.violate('bug', `${host.name} could not be drained: ${String(error)}`);
      });
  }

  #begin(name: string): void {
    const { scheduler } = this.#world;
    const host = simHost(name, (crashed, why) => this.#crashed(crashed, why), this.#release);
    scheduler.note(`${name} starts`);
    const instance = simInstance(this.#world, host, this.#services, this.#rules);
    this.#instances.set(name, instance);
    instance.engine.start().then(
      () => {
        instance.isReady = true;
        void instance.notifications?.run();
      },
      // The store did not answer. The real program retries, so restart the instance.
      () => this.#crashed(host, 'could not start'),
    );
  }

  #ended(host: SimHost): void {
    host.isAlive = false;
    this.#services.network.membersChanged(true);
  }

  #crashed(host: SimHost, why: string): void {
    if (!host.isAlive) return;
    const { scheduler, counters, prng } = this.#world;
    counters.count('crash');
    if (host.takeovers > 0) counters.count('crash within a takeover');
    scheduler.note(`${host.name} crashes ${why}`);
    this.#ended(host);
    const isReplaced = prng.chance(0.5);
    scheduler.after(prng.pick(restartMs), `${host.name} restarts`, () => {
      if (isReplaced) this.add();
      else this.#begin(host.name);
    });
  }
}
