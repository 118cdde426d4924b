import { setTimeout as sleep } from 'node:timers/promises';
import { Prng } from '../simulation/prng.ts';
import { Buyer } from './buyer.ts';
import type { Client, OrderAccess } from './client.ts';
import type { SeenOrder } from './history.ts';
import type { PackageStock } from './package-stock.ts';
import { isFinal } from './unfinished.ts';

export interface LoadOptions {
  readonly client: Client;
  readonly stock: PackageStock;
  readonly prng: Prng;
  /** Makes the buyers' emails and keys unique to this run. */
  readonly run: string;
  /** New buyers per second. */
  readonly rate: number;
}

/**
 * The most concurrent buyers, including buyers who only follow their orders. Further buyers leave at once. With 3,000 of them
 * the look-ups of orders kept this process so busy, which also carries all links, that the suppliers' answers came too late.
 */
const buyersMax = 1_000;
const tickMs = 20;
/** Regularly, a crowd buys one of the smallest packages. */
const crowd = { everyMs: 4_000, size: 50 };
const keyless = 0.12;
const figuresEveryMs = 250;
const departedMax = 1_000;

/** Adds buyers at a constant rate, independent of the answers to earlier ones. */
export class Load {
  readonly #options: LoadOptions;
  readonly #leaving = new AbortController();
  readonly #buyers = new Set<Promise<void>>();
  readonly #departed: OrderAccess[] = [];
  #count = 0;
  #decided = 0;
  #turnedAway = 0;
  #failure: unknown;

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  /** Purchases that were started. */
  get begun(): number {
    return this.#count;
  }

  /** Purchases with a definite answer. */
  get decided(): number {
    return this.#decided;
  }

  /** Buyers who left at once because there were too many buyers. */
  get turnedAway(): number {
    return this.#turnedAway;
  }

  /** Takes one of the buyers who have left, and whose order has ended. Such a buyer sends no more requests. */
  takeDeparted(): OrderAccess | undefined {
    return this.#departed.shift();
  }

  /**
   * Adds buyers until {@link stop}. Resolves when all buyers have left.
   * @throws the error of a buyer, which is a bug of the test.
   */
  async run(): Promise<void> {
    const figures = this.#watchFigures();
    const { rate, stock } = this.#options;
    const startedAt = performance.now();
    let crowdAt = startedAt + crowd.everyMs;
    let come = 0;
    while (!this.#leaving.signal.aborted) {
      const now = performance.now();
      for (const due = ((now - startedAt) * rate) / 1000; come < due; come++) this.#welcome(stock.pick());
      if (now >= crowdAt) {
        crowdAt = now + crowd.everyMs;
        const packageId = stock.pickHot();
        this.rush(packageId, crowd.size);
      }
      await sleep(tickMs);
      if (this.#failure !== undefined) throw this.#failure;
    }
    await Promise.all([figures, ...this.#buyers]);
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Adds so many buyers of one package at once. */
  rush(packageId: number, buyers: number): void {
    for (let each = 0; each < buyers; each++) this.#welcome(packageId);
  }

  /** Adds no more buyers, and lets the present buyers leave. */
  stop(): void {
    this.#leaving.abort();
  }

  #welcome(packageId: number): void {
    if (this.#buyers.size >= buyersMax) {
      this.#turnedAway += 1;
      return;
    }
    const { client, prng, run, stock } = this.#options;
    const nth = ++this.#count;
    const request = {
      packageId,
      email: `buyer-${run}-${nth}@example.com`,
      ...(prng.chance(keyless) ? {} : { key: `${run}-${nth}` }),
    };
    const buyer = new Buyer({
      client,
      request,
      prng: prng.fork(),
      leaving: this.#leaving.signal,
      onDecided: ({ code }) => {
        this.#decided += 1;
        if (code === 'sold_out') stock.noteSoldOut(packageId);
      },
    });
    const leave = (order: SeenOrder | undefined) => {
      if (order === undefined || !isFinal(order)) return;
      this.#departed.push({ orderId: order.id, email: order.email });
      if (this.#departed.length > departedMax) this.#departed.shift();
    };
    const bought = buyer.buy().then(leave, (error: unknown) => {
      this.#failure ??= error;
    });
    this.#buyers.add(bought);
    void bought.finally(() => this.#buyers.delete(bought));
  }

  async #watchFigures(): Promise<void> {
    const { client, stock } = this.#options;
    const prng = new Prng(this.#options.prng.whole(0, 2 ** 31));
    while (!this.#leaving.signal.aborted) {
      const packageId = prng.chance(0.5) ? stock.pickHot() : stock.pick();
      await Promise.all([
        client.figures(prng.whole(0, client.instances - 1), packageId),
        sleep(figuresEveryMs, undefined, { signal: this.#leaving.signal }).catch(() => {}),
      ]);
    }
  }
}
