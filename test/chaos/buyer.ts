import { setTimeout as sleep } from 'node:timers/promises';
import { defined } from '../../src/lib/defined.ts';
import type { Prng } from '../simulation/prng.ts';
import type { Client, OrderAccess, PurchaseRequest, RequestOptions } from './client.ts';
import type { PurchaseEntry, SeenOrder } from './history.ts';
import { drawHabit, type PayingHabit, payAs } from './paying-habits.ts';
import { isFinal } from './unfinished.ts';

export interface BuyerOptions {
  readonly client: Client;
  readonly prng: Prng;
  readonly request: PurchaseRequest;
  /** Aborts when the load ends. The buyer then sends no further requests. */
  readonly leaving: AbortSignal;
  /** Called with the first definite answer. */
  readonly onDecided: (entry: PurchaseEntry) => void;
}

/** Limits of retries, and of look-ups of one order. */
const retriesMax = 40;
const followsMax = 15;
const stranger = 'stranger@example.com';

/** A simulated customer, who buys, retries, looks the order up, pays or does not, and sometimes cancels. */
export class Buyer {
  readonly #client: Client;
  readonly #prng: Prng;
  readonly #request: PurchaseRequest;
  readonly #leaving: AbortSignal;
  readonly #onDecided: (entry: PurchaseEntry) => void;
  readonly #habit: PayingHabit;
  #hasActed = false;

  constructor({ client, prng, request, leaving, onDecided }: BuyerOptions) {
    this.#client = client;
    this.#prng = prng;
    this.#request = request;
    this.#leaving = leaving;
    this.#onDecided = onDecided;
    this.#habit = drawHabit(prng);
  }

  /** Returns the order as it was last seen; undefined if nobody knows whether there is one. */
  async buy(): Promise<SeenOrder | undefined> {
    const first = await this.#first();
    const decided = await this.#insist(first);
    if (decided === undefined) return undefined;
    this.#onDecided(decided);
    const { order, status } = decided;
    const isRepeated = this.#request.key !== undefined && this.#prng.chance(0.07);
    if (isRepeated) {
      await this.#pause(0, 5_000);
      if (!this.#leaving.aborted)
        await this.#client.purchase(this.#anywhere(), this.#request, this.#preferences());
    }
    if (order === undefined) return undefined;
    const access = { orderId: order.id, email: order.email };
    await this.#payOnce(access, order);
    if (this.#prng.chance(0.03)) await this.#pry(access);
    if (status === 201 && !this.#prng.chance(0.4)) return order;
    return this.#live(access, await this.#follow(access));
  }

  /** Sends one purchase. Sometimes sends the same purchase twice at the same time, or with a very short timeout. */
  async #first(): Promise<PurchaseEntry> {
    const client = this.#client;
    const one = this.#anywhere();
    if (this.#prng.chance(0.05)) {
      return client.purchase(one, this.#request, {
        ...this.#preferences(),
        timeoutMs: this.#prng.whole(1, 400),
      });
    }
    if (this.#request.key === undefined || !this.#prng.chance(0.05))
      return client.purchase(one, this.#request, this.#preferences());
    const other = (one + this.#prng.whole(1, client.instances - 1)) % client.instances;
    const both = await Promise.all([
      client.purchase(one, this.#request, this.#preferences()),
      client.purchase(other, this.#request, this.#preferences()),
    ]);
    return both.find(isDefinite) ?? both[0];
  }

  /**
   * Retries with the same key at random instances until there is a definite answer. A purchase without a key is not
   * retried, because the retry would be another order.
   */
  async #insist(first: PurchaseEntry): Promise<PurchaseEntry | undefined> {
    let last = first;
    for (let retry = 0; !isDefinite(last); retry++) {
      if (this.#request.key === undefined || retry === retriesMax) return undefined;
      await this.#pause(100, Math.min(3_000, 500 * (retry + 1)));
      if (this.#leaving.aborted) return undefined;
      last = await this.#client.purchase(this.#anywhere(), this.#request, this.#preferences());
    }
    return last;
  }

  /** Looks the order up at random instances until it is final. Returns its last known state. */
  async #follow(access: OrderAccess): Promise<SeenOrder | undefined> {
    let order: SeenOrder | undefined;
    for (let look = 0; look < followsMax && !this.#leaving.aborted; look++) {
      await this.#pause(0, 2_000 * (look + 1));
      if (this.#leaving.aborted) return order;
      order = (await this.#client.lookUp(this.#anywhere(), access)).order ?? order;
      if (order !== undefined && isFinal(order)) return order;
      if (order !== undefined) await this.#payOnce(access, order);
      if (order?.status === 'queued' && this.#prng.chance(0.05)) await this.#cancel(access);
    }
    return order;
  }

  /** Does with a payable order what this buyer does. Does nothing if it has done so before. */
  async #payOnce(access: OrderAccess, { status, paymentUrl, payBy }: SeenOrder): Promise<void> {
    if (status !== 'payable' || paymentUrl === undefined || payBy === undefined || this.#hasActed) return;
    this.#hasActed = true;
    const page = { orderId: access.orderId, paymentUrl };
    await payAs(this.#habit, {
      payBy,
      act: (kind) => this.#client.act(kind, page),
      cancel: () => this.#cancel(access),
      pause: (leastMs, mostMs) => this.#pause(leastMs, mostMs),
      leaving: this.#leaving,
    });
  }

  /** Cancels some of the confirmed orders. Returns the order as it was last seen. */
  async #live(access: OrderAccess, order: SeenOrder | undefined): Promise<SeenOrder | undefined> {
    if (order?.status !== 'confirmed' || !this.#prng.chance(0.12)) return order;
    await this.#pause(0, 10_000);
    if (this.#leaving.aborted) return order;
    await this.#cancel(access);
    return this.#follow(access);
  }

  async #cancel(access: OrderAccess): Promise<void> {
    for (let retry = 0; retry < 10 && !this.#leaving.aborted; retry++) {
      const { prefer } = this.#preferences();
      const { status } = await this.#client.cancel(this.#anywhere(), access, prefer);
      if (status !== undefined && status < 500) return;
      await this.#pause(200, 2_000);
    }
  }

  /** Acts as a stranger who knows the order's id and key, but not its email, and tries to use them. */
  async #pry(access: OrderAccess): Promise<void> {
    await this.#client.lookUp(this.#anywhere(), { ...access, email: stranger });
    await this.#client.cancel(this.#anywhere(), { ...access, email: stranger });
    if (this.#request.key !== undefined)
      await this.#client.purchase(
        this.#anywhere(),
        { ...this.#request, email: stranger },
        this.#preferences(),
      );
  }

  #preferences(): RequestOptions {
    const prefer = this.#prng.pick([undefined, undefined, 'respond-async', 'wait=1', 'wait=3', 'wait=30']);
    return defined({ prefer });
  }

  #anywhere(): number {
    return this.#prng.whole(0, this.#client.instances - 1);
  }

  async #pause(leastMs: number, mostMs: number): Promise<void> {
    await sleep(this.#prng.whole(leastMs, mostMs), undefined, { signal: this.#leaving }).catch(() => {});
  }
}

/** Whether the answer is definite. After no answer or a server error, the stored state is unknown. */
function isDefinite({ status }: PurchaseEntry): boolean {
  return status !== undefined && (status < 500 || status === 502);
}
