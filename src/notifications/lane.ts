import pLimit, { type LimitFunction } from 'p-limit';
import { type Notice, type OrderAt, orderAt } from '../domain/notices.ts';
import { Abort, type AbortState } from '../lib/abort.ts';
import { type BackoffOptions, backoffMs } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import { TimeoutError, withTimeout } from '../lib/deadline.ts';
import { defined } from '../lib/defined.ts';
import type { LogOnce } from '../lib/log-once.ts';
import type { Page } from '../lib/page.ts';
import type { Random } from '../lib/random.ts';
import type { Log } from '../observability/log.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { DeadLetter, OutboxStore, OwedOrder } from '../storage/outbox.ts';
import { type Channel, DeliveryError } from './channel.ts';
import { FailingOrders } from './failing-orders.ts';
import type { Pace } from './pace.ts';

export interface LaneOptions {
  readonly channel: Channel;
  readonly store: Pick<OutboxStore, 'owed' | 'settle'>;
  /** Lets the lanes of all packages take turns on the channel. */
  readonly turns: LimitFunction;
  /** Bounds the deliveries on the channel to its connections. */
  readonly slots: LimitFunction;
  readonly pace: Pick<Pace, 'rest'>;
  readonly clock: Clock;
  readonly random: Pick<Random, 'fraction'>;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'notice'>;
  /** Shared by the lanes of a channel. */
  readonly failure: LogOnce;
}

/** Orders in one turn of a lane. After a crash at most the notices of one turn of each lane are delivered again. */
const turnOrders = 16;
/** Orders of a lane to which notices are delivered at once. */
const atOnceMax = 4;
/** Longer than the timeouts inside a channel. */
const deliveryTimeoutMs = 30_000;
/** After this many attempts, which take about 80 minutes, a notice is given up. */
export const attemptsMax = 20;
const backoff: BackoffOptions = { firstMs: 1_000, maxMs: 600_000, jitter: 0.5 };
/** The most orders that a turn reads while those before are failing ones whose next attempt is not due. */
const readOrders = 200;
/**
 * A pass ends after so many orders that fail for the first time, because then the receiver is probably away. Refused
 * recipients do not count.
 */
const newFailingMax = 100;
/**
 * A pass ends its retries when so many have failed again, at least, or this share of the failing orders, so that it soon
 * comes to the others.
 */
const retryShare = 0.1;
const retriesMin = 100;
/** The least pause before the next pass, for each failing order, because a pass reads all of them. In ms. */
const passPauseMs = 10;
/** The longest pause before new notices are read, and its part for each failing order if there are thousands. */
const newPauseMs = 1_000;
const newPausePartMs = 0.5;
/** A waiting lane reads again after this time at most, because not every revived dead letter wakes it. */
const rereadMs = 60_000;
const storeBackoff: BackoffOptions = { firstMs: 500, maxMs: 10_000 };

/**
 * Delivers the notices of one package on one channel, page by page. A failing order waits with a growing pause while
 * others are delivered. Only the failing orders are in memory, with no more than their number of attempts.
 */
export class Lane {
  readonly #options: LaneOptions;
  readonly #packageId: number;
  readonly #until: AbortState;
  readonly #failing = new FailingOrders();
  /** Orders that have begun to fail in this pass, without refused recipients. */
  #newFailing = 0;
  /** Retries that may still fail in this pass. */
  #retriesLeft = 0;
  /** Orders that the next turn reads. */
  #pageSize = turnOrders;
  /** Whether notices may have come since the last read. */
  #isWanted = true;
  #waiting: Abort | undefined;

  constructor(options: LaneOptions, packageId: number, until: AbortState) {
    this.#options = options;
    this.#packageId = packageId;
    this.#until = until;
  }

  get isWanted(): boolean {
    return this.#isWanted;
  }

  /** When the oldest failing order began to fail, in ms on the monotonic clock. Leaves out refused recipients. */
  get failingSince(): number | undefined {
    return this.#failing.since;
  }

  /** Makes the lane read again soon. */
  wake(): void {
    this.#isWanted = true;
    this.#waiting?.abort();
  }

  /** Delivers until nothing is left, or the package has another owner. Never rejects. */
  async run(): Promise<void> {
    let storeFailures = 0;
    while (!this.#until.aborted && (this.#isWanted || this.#failing.size > 0)) {
      this.#isWanted = false;
      try {
        await this.#pass();
        storeFailures = 0;
      } catch (err) {
        this.#isWanted = true;
        storeFailures += 1;
        const { log, clock, channel } = this.#options;
        log.debug({ channel: channel.name, packageId: this.#packageId, err }, 'notices could not be read');
        await clock.sleep(backoffMs(storeFailures, storeBackoff), this.#until);
      }
      if (this.#failing.size > 0) await this.#wait();
    }
  }

  /** Reads what is owed from the beginning, and delivers what is due. */
  async #pass(): Promise<void> {
    this.#newFailing = 0;
    this.#retriesLeft = Math.max(retriesMin, this.#failing.size * retryShare);
    this.#pageSize = turnOrders;
    const seen = new Set<string>();
    let cursor: string | undefined;
    do {
      cursor = await this.#options.turns(() => this.#turn(cursor, seen));
    } while (cursor !== undefined && !this.#hasEnough(seen) && !this.#until.aborted);
    if (this.#until.aborted) return;
    // An order that owes nothing any more was archived, or another owner has delivered its notices.
    for (const id of this.#failing.ids()) {
      if (!seen.has(id) && (cursor === undefined || id <= cursor)) this.#failing.delete(id);
    }
  }

  /** Delivers one page. Returns the cursor of the next. */
  async #turn(cursor: string | undefined, seen: Set<string>): Promise<string | undefined> {
    if (this.#until.aborted) return undefined;
    const { store, channel, clock, pace } = this.#options;
    const page = await store.owed(channel.name, this.#packageId, cursor, this.#pageSize);
    const { items, due, next } = this.#firstDue(page, clock.monotonic());
    this.#pageSize = due.length > 0 ? turnOrders : Math.min(2 * this.#pageSize, readOrders);
    const delivered: Notice[] = [];
    const givenUp: DeadLetter[] = [];
    const limit = pLimit(atOnceMax);
    await Promise.all(due.map((owed) => limit(() => this.#deliver(owed, delivered, givenUp))));
    for (const { order } of items) if (this.#failing.get(order.id)) seen.add(order.id);
    // The attempts of those that are forgotten begin again when they are read.
    for (const id of this.#failing.forgetLast()) seen.delete(id);
    if (delivered.length + givenUp.length > 0) await this.#settle(delivered, givenUp);
    await pace.rest(due.length, this.#until);
    return next;
  }

  /**
   * The orders of the page that are due, at most those of one turn. Orders behind them are left for the next turn, which
   * reads them again.
   */
  #firstDue({ items, next }: Page<OwedOrder>, now: number): Page<OwedOrder> & { readonly due: OwedOrder[] } {
    const due: OwedOrder[] = [];
    for (const [index, owed] of items.entries()) {
      if (!this.#isDue(owed.order.id, now)) continue;
      due.push(owed);
      if (due.length === turnOrders && index < items.length - 1)
        return { items: items.slice(0, index + 1), due, next: owed.order.id };
    }
    return { items, due, ...defined({ next }) };
  }

  #isDue(orderId: string, now: number): boolean {
    const failing = this.#failing.get(orderId);
    return failing === undefined || (failing.nextAt <= now && this.#retriesLeft > 0);
  }

  /**
   * Whether the pass has seen all failing orders, and there are too many to read further. The next pass, a second later,
   * reads beyond those that have begun to fail in this one. So failing orders delay the others by seconds only.
   */
  #hasEnough(seen: ReadonlySet<string>): boolean {
    const areMany = this.#newFailing >= newFailingMax || this.#failing.isFull;
    return areMany && seen.size >= this.#failing.size;
  }

  /** Delivers the notices of an order one after another, up to the first that fails. */
  async #deliver({ order, notices }: OwedOrder, delivered: Notice[], givenUp: DeadLetter[]): Promise<void> {
    const { channel, clock, metrics, failure, log, slots } = this.#options;
    for (const notice of notices) {
      if (this.#until.aborted) return;
      const content = orderAt(order, notice.event);
      try {
        if (content !== undefined && !(await slots(() => this.#attempt(content)))) return;
      } catch (error) {
        const { reason, isFinal, isOfRecipient } = explain(error);
        const before = this.#failing.get(order.id);
        const attempts = (before?.attempts ?? 0) + 1;
        const fields = { channel: channel.name, packageId: this.#packageId, reason };
        if (!isFinal && attempts < attemptsMax) {
          metrics.notice(channel.name, 'failed');
          failure.report(reason, () =>
            log.warn(fields, 'a notice could not be delivered and is tried again'),
          );
          if (before !== undefined) this.#retriesLeft -= 1;
          else if (!isOfRecipient) this.#newFailing += 1;
          const pauseMs = backoffMs(attempts, backoff, this.#options.random);
          const failedAt = clock.monotonic();
          const since = before?.isOfRecipient === isOfRecipient ? before.since : failedAt;
          this.#failing.set(order.id, { attempts, since, nextAt: failedAt + pauseMs, isOfRecipient });
          return;
        }
        metrics.notice(channel.name, isOfRecipient ? 'refused' : 'given_up');
        // A buyer's typing mistake is nothing that an operator can correct.
        const level = isOfRecipient ? 'info' : 'warn';
        log[level]({ ...fields, orderId: order.id, attempts }, 'a notice was given up: it is a dead letter');
        givenUp.push({ ...notice, packageId: this.#packageId, at: clock.now(), attempts, reason });
        this.#failing.delete(order.id);
        continue;
      }
      metrics.notice(channel.name, 'delivered');
      if (failure.end()) log.info({ channel: channel.name }, 'notices are delivered again');
      delivered.push(notice);
      this.#failing.delete(order.id);
    }
  }

  /** One attempt. Returns false if the package has another owner by now. @throws DeliveryError and other errors */
  async #attempt(content: OrderAt): Promise<boolean> {
    if (this.#until.aborted) return false;
    const { channel, clock } = this.#options;
    await withTimeout({ ms: deliveryTimeoutMs, clock }, (signal) => channel.deliver(content, signal));
    return true;
  }

  /**
   * Repeats until the store answers, because a notice that was not settled is delivered again. Others could not be read
   * meanwhile either.
   */
  async #settle(delivered: readonly Notice[], givenUp: readonly DeadLetter[]): Promise<void> {
    const { store, clock, log, channel } = this.#options;
    for (let failures = 1; ; failures++) {
      try {
        return await store.settle(this.#packageId, delivered, givenUp);
      } catch (err) {
        if (this.#until.aborted) return;
        log.debug({ channel: channel.name, packageId: this.#packageId, err }, 'notices could not be settled');
        await clock.sleep(backoffMs(failures, storeBackoff), this.#until);
      }
    }
  }

  /** Waits for the next attempt that is due or for new notices, and in any case for a while. */
  async #wait(): Promise<void> {
    const { clock } = this.#options;
    const failing = this.#failing.size;
    const leastMs = failing * passPauseMs;
    const newMs = Math.min(leastMs, Math.max(newPauseMs, failing * newPausePartMs));
    await clock.sleep(newMs, this.#until);
    if (this.#isWanted) return;
    const now = clock.monotonic();
    const next = this.#failing.nextAt(now + rereadMs);
    const waiting = new Abort();
    this.#waiting = waiting;
    const stop = () => waiting.abort();
    this.#until.addEventListener('abort', stop);
    if (this.#until.aborted) stop();
    await clock.sleep(Math.max(next - now, leastMs - newMs, 0), waiting);
    this.#until.removeEventListener('abort', stop);
    this.#waiting = undefined;
  }
}

/** Only a DeliveryError has a text that is safe to show: others may contain an email. */
function explain(error: unknown): Pick<DeliveryError, 'isFinal' | 'isOfRecipient'> & { reason: string } {
  if (error instanceof DeliveryError) {
    const { message: reason, isFinal, isOfRecipient } = error;
    return { reason, isFinal, isOfRecipient };
  }
  const unknown = { isFinal: false, isOfRecipient: false };
  if (error instanceof TimeoutError) return { reason: 'no answer in time', ...unknown };
  return { reason: error instanceof Error ? error.name : 'unknown error', ...unknown };
}
