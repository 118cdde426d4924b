import type { BoughtOrder } from './requests.ts';

/** Enough orders for random look-ups that rarely repeat. */
const rememberedMax = 2_000;

/** The orders bought at the current origins, for look-ups. */
export class BoughtOrders {
  bought: BoughtOrder[] = [];
  #origins = '';

  /** Forgets orders of other origins. */
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
