import type { Bought } from './requests.ts';

/** Enough to look up at random without always meeting the same. */
const rememberedMax = 2_000;

/** Orders that were bought at the present origins, for look-ups. */
export class Memory {
  bought: Bought[] = [];
  #origins = '';

  /** Forgets what was bought elsewhere. */
  turnTo(origins: readonly string[]): void {
    const named = origins.join();
    if (named !== this.#origins) this.bought = [];
    this.#origins = named;
  }

  forget(): void {
    this.#origins = '';
    this.bought = [];
  }

  get isFull(): boolean {
    return this.bought.length >= rememberedMax;
  }
}
