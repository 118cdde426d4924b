import { setTimeout as sleep } from 'node:timers/promises';
import type { Prng } from '../simulation/prng.ts';
import type { Client, Manner, Ticket, Wish } from './client.ts';
import type { PurchaseEntry, SeenOrder } from './history.ts';
import { isFinal } from './unfinished.ts';

export interface BuyerOptions {
  readonly client: Client;
  readonly dice: Prng;
  readonly wish: Wish;
  /** Aborts when the load ends; the buyer then sends no further requests. */
  readonly leaving: AbortSignal;
  /** Called with the first definite answer. */
  readonly onDecided: (entry: PurchaseEntry) => void;
}

/** Limits of retries, and of look-ups of one order. */
const retriesMax = 40;
const followsMax = 15;
const stranger = 'stranger@example.com';

/** A simulated customer: buys, retries, looks the order up, and sometimes cancels. */
export class Buyer {
  readonly #client: Client;
  readonly #dice: Prng;
  readonly #wish: Wish;
  readonly #leaving: AbortSignal;
  readonly #onDecided: (entry: PurchaseEntry) => void;

  constructor({ client, dice, wish, leaving, onDecided }: BuyerOptions) {
    this.#client = client;
    this.#dice = dice;
    this.#wish = wish;
    this.#leaving = leaving;
    this.#onDecided = onDecided;
  }

  async buy(): Promise<void> {
    const first = await this.#first();
    const decided = await this.#insist(first);
    if (decided === undefined) return;
    this.#onDecided(decided);
    const { order, status } = decided;
    const isRepeated = this.#wish.key !== undefined && this.#dice.chance(0.07);
    if (isRepeated) {
      await this.#pause(0, 5_000);
      if (!this.#leaving.aborted) await this.#client.purchase(this.#anywhere(), this.#wish, this.#manner());
    }
    if (order === undefined) return;
    const ticket = { orderId: order.id, email: order.email };
    if (this.#dice.chance(0.03)) await this.#pry(ticket);
    if (status === 201 && !this.#dice.chance(0.4)) return;
    await this.#live(ticket, await this.#follow(ticket));
  }

  /** Sends one purchase; sometimes two at the same time, or one with a very short timeout. */
  async #first(): Promise<PurchaseEntry> {
    const client = this.#client;
    const one = this.#anywhere();
    if (this.#dice.chance(0.05)) {
      return client.purchase(one, this.#wish, {
        ...this.#manner(),
        patienceMs: this.#dice.whole(1, 400),
      });
    }
    if (this.#wish.key === undefined || !this.#dice.chance(0.05))
      return client.purchase(one, this.#wish, this.#manner());
    const other = (one + this.#dice.whole(1, client.instances - 1)) % client.instances;
    const both = await Promise.all([
      client.purchase(one, this.#wish, this.#manner()),
      client.purchase(other, this.#wish, this.#manner()),
    ]);
    return both.find(isDefinite) ?? both[0];
  }

  /**
   * Retries with the same key at random instances until there is a definite answer. Without a key it does not retry,
   * because that would be another order.
   */
  async #insist(first: PurchaseEntry): Promise<PurchaseEntry | undefined> {
    let last = first;
    for (let retry = 0; !isDefinite(last); retry++) {
      if (this.#wish.key === undefined || retry === retriesMax) return undefined;
      await this.#pause(100, Math.min(3_000, 500 * (retry + 1)));
      if (this.#leaving.aborted) return undefined;
      last = await this.#client.purchase(this.#anywhere(), this.#wish, this.#manner());
    }
    return last;
  }

  /** Looks the order up at random instances until it is final. Returns its last known state. */
  async #follow(ticket: Ticket): Promise<SeenOrder | undefined> {
    let order: SeenOrder | undefined;
    for (let look = 0; look < followsMax && !this.#leaving.aborted; look++) {
      await this.#pause(0, 600 * (look + 1));
      if (this.#leaving.aborted) return order;
      order = (await this.#client.lookUp(this.#anywhere(), ticket)).order ?? order;
      if (order !== undefined && isFinal(order)) return order;
      if (order?.status === 'queued' && this.#dice.chance(0.05)) await this.#cancel(ticket);
    }
    return order;
  }

  /** Cancels some confirmed orders. */
  async #live(ticket: Ticket, order: SeenOrder | undefined): Promise<void> {
    if (order?.status !== 'confirmed' || !this.#dice.chance(0.12)) return;
    await this.#pause(0, 10_000);
    if (this.#leaving.aborted) return;
    await this.#cancel(ticket);
    await this.#follow(ticket);
  }

  async #cancel(ticket: Ticket): Promise<void> {
    for (let retry = 0; retry < 10 && !this.#leaving.aborted; retry++) {
      const { prefer } = this.#manner();
      const { status } = await this.#client.cancel(this.#anywhere(), ticket, prefer);
      if (status !== undefined && status < 500) return;
      await this.#pause(200, 2_000);
    }
  }

  /** A stranger who knows the order's number and key, but not its email, tries to use them. */
  async #pry(ticket: Ticket): Promise<void> {
    await this.#client.lookUp(this.#anywhere(), { ...ticket, email: stranger });
    await this.#client.cancel(this.#anywhere(), { ...ticket, email: stranger });
    if (this.#wish.key !== undefined)
      await this.#client.purchase(this.#anywhere(), { ...this.#wish, email: stranger }, this.#manner());
  }

  #manner(): Manner {
    const prefer = this.#dice.pick([undefined, undefined, 'respond-async', 'wait=1', 'wait=3', 'wait=30']);
    return prefer === undefined ? {} : { prefer };
  }

  #anywhere(): number {
    return this.#dice.whole(0, this.#client.instances - 1);
  }

  async #pause(leastMs: number, mostMs: number): Promise<void> {
    await sleep(this.#dice.whole(leastMs, mostMs), undefined, { signal: this.#leaving }).catch(() => {});
  }
}

/** Anything except no answer and a server error, after which the stored state is unknown. */
function isDefinite({ status }: PurchaseEntry): boolean {
  return status !== undefined && (status < 500 || status === 502);
}
