import type { Deployment } from '../stage.ts';
import { StoppedError } from '../stopping.ts';

/** All that was started and still runs, so that nothing is left behind whenever the bench stops. */
export class Starts {
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #running = new Set<Deployment>();
  #isOver = false;

  /** @throws StoppedError once all is over, also when it becomes so meanwhile: then it is stopped again. */
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

  /** Stops what runs and what is being started; resolves when all of it is gone. */
  async stopAll(): Promise<void> {
    do {
      await Promise.allSettled(this.#underWay);
      await Promise.allSettled([...this.#running].map((deployment) => deployment.stop()));
    } while (this.#underWay.size > 0);
  }

  /** From now on nothing is started. */
  end(): void {
    this.#isOver = true;
  }

  async #begin(begin: () => Promise<Deployment>): Promise<Deployment> {
    const started = await begin();
    let stopped: Promise<void> | undefined;
    const deployment: Deployment = {
      ...started,
      // Whoever stops it second waits for the first.
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
