import { StoppedError } from '../stopping.ts';
import type { Deployment } from '../testbed.ts';

/** All started servers, so that none is left running when the bench stops. */
export class StartedServers {
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #running = new Set<Deployment>();
  #isOver = false;

  /** @throws StoppedError after `end`; a server whose start ends later is stopped. */
  async start(begin: () => Promise<Deployment>): Promise<Deployment> {
    if (this.#isOver) throw new StoppedError();
    const starting = this.#begin(begin);
    this.#underWay.add(starting);
    try {
      return await starting;
    } finally {
      this.#underWay.delete(starting);
    }
  }

  /** Stops all servers that run or are starting; resolves when they have ended. */
  async stopAll(): Promise<void> {
    do {
      await Promise.allSettled(this.#underWay);
      await Promise.allSettled([...this.#running].map((deployment) => deployment.stop()));
    } while (this.#underWay.size > 0);
  }

  /** Refuses all further starts. */
  end(): void {
    this.#isOver = true;
  }

  async #begin(begin: () => Promise<Deployment>): Promise<Deployment> {
    const started = await begin();
    let stopped: Promise<void> | undefined;
    const deployment: Deployment = {
      ...started,
      // A second stop waits for the first one.
      stop: () => {
        stopped ??= started.stop().finally(() => this.#running.delete(deployment));
        return stopped;
      },
    };
    this.#running.add(deployment);
    if (!this.#isOver) return deployment;
    await deployment.stop();
    throw new StoppedError();
  }
}
