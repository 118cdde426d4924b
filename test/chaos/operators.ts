import { setTimeout as sleep } from 'node:timers/promises';
import type { Prng } from '../simulation/prng.ts';
import type { AdminClient } from './admin-client.ts';
import type { Client, OrderAccess } from './client.ts';
import type { UpdateEntry } from './history.ts';

export interface OperatorsOptions {
  readonly client: Client;
  readonly admin: AdminClient;
  readonly prng: Prng;
  /** Picks a package on sale that operators may change; undefined if there is none. */
  readonly pickPackage: () => number | undefined;
  /** The orders whose final status no client has seen. */
  readonly unfinished: () => readonly OrderAccess[];
  /** Takes an order that has ended, and whose buyer sends no more requests. */
  readonly takeEnded: () => OrderAccess | undefined;
}

/** Pauses between two changes of each kind, in ms. */
const everyMs = { changes: 300, retries: 200, erasures: 1_500 } as const;
/** Operators who work on packages at the same time. Each works on another package. */
const operators = 3;
/** Of the unfinished orders, the newest are retried, because most of the others have ended unseen. */
const newestMax = 20;
const pausedMs = { least: 300, most: 2_000 } as const;
/** How often an operator repeats a request that has no good answer. */
const triesMax = 40;
const repeatAfterMs = 500;

/**
 * The operators of the sale. They change quotas, pause and resume sales, retry orders, and erase the emails of buyers
 * who have left. No two of them change the same package at a time, and each waits for the answer, so that the checker knows
 * which change came first.
 */
export class Operators {
  readonly #options: OperatorsOptions;
  readonly #leaving = new AbortController();
  /** Packages that may be paused. */
  readonly #paused = new Set<number>();
  readonly #taken = new Set<number>();

  constructor(options: OperatorsOptions) {
    this.#options = options;
  }

  /**
   * Works until {@link stop}.
   * @throws the error of an operator, which is a bug of the test.
   */
  async run(): Promise<void> {
    await Promise.all([
      ...Array.from({ length: operators }, () => this.#repeat(everyMs.changes, () => this.#workOnPackage())),
      this.#repeat(everyMs.retries, () => this.#retryOrder()),
      this.#repeat(everyMs.erasures, () => this.#eraseEmail()),
    ]);
  }

  stop(): void {
    this.#leaving.abort();
  }

  /**
   * Resumes every sale that may still be paused. Call it when `run` has ended and all faults are healed.
   * @throws Error when a sale cannot be resumed.
   */
  async resumeAll(): Promise<void> {
    for (const packageId of [...this.#paused]) {
      const isResumed = await this.#resume(packageId);
      if (!isResumed) throw new Error(`package ${packageId} could not be resumed`);
    }
  }

  async #repeat(pauseMs: number, work: () => Promise<unknown>): Promise<void> {
    while (!this.#leaving.signal.aborted) {
      await work();
      await sleep(pauseMs, undefined, { signal: this.#leaving.signal }).catch(() => {});
    }
  }

  async #workOnPackage(): Promise<void> {
    const { prng, pickPackage } = this.#options;
    const packageId = pickPackage();
    if (packageId === undefined || this.#taken.has(packageId)) return;
    this.#taken.add(packageId);
    await (prng.chance(0.3) ? this.#pauseForAWhile(packageId) : this.#changeQuota(packageId));
    this.#taken.delete(packageId);
  }

  async #changeQuota(packageId: number): Promise<void> {
    const { admin, prng } = this.#options;
    const known = await admin.package(this.#anywhere(), packageId);
    if (known === undefined) return;
    // Some are too low, and are refused.
    const quota = prng.chance(0.2) ? 0 : Math.round(known.quota * prng.between(0.7, 1.3)) + prng.pick([0, 1]);
    if (quota !== known.quota) await admin.setQuota(this.#anywhere(), packageId, known.version, quota);
  }

  async #pauseForAWhile(packageId: number): Promise<void> {
    const { admin, prng } = this.#options;
    this.#paused.add(packageId);
    await admin.pause(this.#anywhere(), packageId);
    await sleep(prng.whole(pausedMs.least, pausedMs.most));
    await this.#resume(packageId);
  }

  /** Returns whether the sale is resumed. */
  async #resume(packageId: number): Promise<boolean> {
    const { admin } = this.#options;
    for (let tries = 0; tries < triesMax; tries++) {
      const { status }: UpdateEntry = await admin.resume(this.#anywhere(), packageId);
      if (status === 200) {
        this.#paused.delete(packageId);
        return true;
      }
      await sleep(repeatAfterMs);
    }
    return false;
  }

  async #retryOrder(): Promise<void> {
    const { admin, prng, unfinished } = this.#options;
    const stuck = prng.chance(0.3) ? await admin.stuckOrders(this.#anywhere()) : [];
    const ids =
      stuck.length > 0
        ? stuck
        : unfinished()
            .slice(-newestMax)
            .map(({ orderId }) => orderId);
    if (ids.length === 0) return;
    const orderId = prng.pick(ids);
    // Two operators may click at the same time.
    const clicks = prng.chance(0.2) ? 2 : 1;
    await Promise.all(Array.from({ length: clicks }, () => admin.retry(this.#anywhere(), orderId)));
  }

  async #eraseEmail(): Promise<void> {
    const { admin, client, takeEnded } = this.#options;
    const order = takeEnded();
    if (order === undefined) return;
    for (let tries = 0; tries < triesMax && !this.#leaving.signal.aborted; tries++) {
      const { left } = await admin.erase(this.#anywhere(), order.email);
      if (left === 0) break;
      await sleep(repeatAfterMs);
    }
    // Every instance must say that there is no such order.
    for (let instance = 0; instance < client.instances; instance++) await client.lookUp(instance, order);
  }

  #anywhere(): number {
    return this.#options.prng.whole(0, this.#options.admin.instances - 1);
  }
}
