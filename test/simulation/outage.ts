import type { Scheduler } from './scheduler.ts';
import type { SimHost } from './world.ts';

/** The times in which a service is unavailable, to all processes or one. */
export class Outage {
  readonly #scheduler: Scheduler;
  #backAt = 0;
  readonly #backFor = new Map<string, number>();

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /** @param host undefined for all processes. */
  begin(ms: number, host: SimHost | undefined): void {
    const backAt = this.#scheduler.now + ms;
    if (host === undefined) this.#backAt = backAt;
    else this.#backFor.set(host.name, backAt);
  }

  isAwayFor({ name }: SimHost): boolean {
    const { now } = this.#scheduler;
    return now < this.#backAt || now < (this.#backFor.get(name) ?? 0);
  }

  end(): void {
    this.#backAt = 0;
    this.#backFor.clear();
  }
}
