import type { PackageMessage, SagaMessage } from '../domain/messages.ts';
import { type Order, type Payment, type SagaWork, sagaOf } from '../domain/order.ts';
import { Abort, type AbortState } from '../lib/abort.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../observability/log.ts';
import { type Metrics, noMetrics, type SagaOutcome } from '../observability/metrics.ts';
import type { Suppliers } from '../suppliers/suppliers.ts';
import type { OrderTraces } from './order-traces.ts';
import { awaitPayment, bookOrder, compensateOrder, type SagaOptions, SagaPacing, Wake } from './saga.ts';

export interface SagaRunnerOptions {
  readonly suppliers: Suppliers;
  readonly clock: Clock;
  readonly metrics?: Metrics;
  /** The traces of orders. Absent when tracing is off. */
  readonly traces?: OrderTraces | undefined;
}

export type SagaRun = Pick<SagaOptions, 'signal' | 'report' | 'isFirst' | 'isUrgent' | 'wake'>;

/** An operator's retry does not restart a saga that began more recently than this, because its call is in progress. */
const justBegunMs = 2_000;
const sagas = { book: bookOrder, awaitPayment, compensate: compensateOrder };
/** The names of sagas and of their results, in metrics and traces. */
const names = { book: 'book', awaitPayment: 'pay', compensate: 'clear' } as const;
const outcomes = {
  booked: 'booked',
  paymentDue: 'booked',
  refused: 'refused',
  needsCompensation: 'owing',
  paid: 'paid',
  unpaid: 'unpaid',
  compensated: 'cleared',
} as const;

/** Runs sagas of all packages of this process, and measures them. The suppliers bound how many calls are under way. */
export class SagaRunner {
  readonly #options: SagaRunnerOptions;
  readonly #pacing = new SagaPacing();
  /** The payments that sagas wait for. */
  readonly #awaited = new Set<Payment>();
  #count = 0;

  constructor(options: SagaRunnerOptions) {
    this.#options = options;
    options.metrics?.gauge('payment_overdue_seconds', () => this.#overdueMs() / 1_000);
  }

  /** The number of sagas that have not ended. */
  get count(): number {
    return this.#count;
  }

  /** Runs a saga. Resolves when the saga has reported its result, or was stopped. Rejects only because of a bug. */
  async run(kind: SagaWork, order: Order, run: SagaRun): Promise<void> {
    const { suppliers, clock, traces, metrics = noMetrics } = this.#options;
    if (run.signal.aborted) return;
    const name = names[kind];
    let outcome: SagaOutcome = 'stopped';
    const options: SagaOptions = {
      ...{ ...run, suppliers, clock, pacing: this.#pacing },
      report: (result, events) => {
        if (result.kind !== 'progress') outcome = outcomes[result.kind];
        run.report(result, events);
      },
    };
    const work = () => sagas[kind](order, options);
    const awaited = kind === 'awaitPayment' ? order.payment : undefined;
    const ended = metrics.saga(name);
    if (awaited !== undefined) this.#awaited.add(awaited);
    this.#count += 1;
    try {
      await (traces === undefined ? work() : traces.saga(name, order, work));
    } catch (error) {
      outcome = 'failed';
      throw error;
    } finally {
      this.#count -= 1;
      if (awaited !== undefined) this.#awaited.delete(awaited);
      ended(outcome);
    }
  }

  /** How long the oldest payment whose time is over has been overdue. The provider does not say whether it was made. */
  #overdueMs(): number {
    const now = this.#options.clock.now();
    let longest = 0;
    for (const { payBy = now } of this.#awaited) longest = Math.max(longest, now - payBy);
    return longest;
  }
}

export interface ActivationSagasOptions {
  readonly runner: SagaRunner;
  readonly clock: Clock;
  readonly log: Log;
  /** Puts a message into the mailbox of a package, if its actor is active. */
  readonly notify: (packageId: number, message: PackageMessage) => void;
}

interface Running {
  readonly kind: SagaWork;
  readonly stop: Abort;
  readonly wake: Wake;
  /** In ms on the monotonic clock; undefined while the saga waits for the end of the former one. */
  begunAt: number | undefined;
  /** Its final result, once it has one. No other saga of the order may begin before this result is decided. */
  result: SagaMessage | undefined;
  /** Resolves when the saga has ended. */
  ended: Promise<void>;
}

/** How a saga starts: see {@link SagaOptions}. */
export type SagaStart = Pick<SagaOptions, 'isFirst' | 'isUrgent'>;

/**
 * The sagas of one activation of a package, at most one per order. They run beside the actor's loop. A saga of an order
 * begins only after the former one has been stopped and has ended. So no booking calls a supplier for an order whose
 * compensation has begun (rule Q8).
 */
export class ActivationSagas {
  readonly #options: ActivationSagasOptions;
  readonly #epoch: number;
  readonly #ended: AbortState;
  /** The newest saga of each order, until the order needs none. All others are stopped. */
  readonly #running = new Map<string, Running>();

  /** @param ended aborts when the activation ends, which stops all its sagas */
  constructor(options: ActivationSagasOptions, epoch: number, ended: AbortState) {
    this.#options = options;
    this.#epoch = epoch;
    this.#ended = ended;
    const stopAll = () => {
      for (const { stop } of this.#running.values()) stop.abort(ended.reason);
    };
    ended.addEventListener('abort', stopAll, { once: true });
  }

  /**
   * Starts the saga for the commit that was just applied: it claimed the order's unit, made it payable, or
   * began its compensation. The result comes back as a message that carries the epoch.
   */
  start(kind: SagaWork, order: Order): void {
    this.#replace(kind, order, { isFirst: kind === 'book' });
  }

  /** Starts the saga of an order for which an earlier saga may have called the suppliers. */
  resume(order: Order): void {
    this.#replace(sagaOf(order), order, {});
  }

  /**
   * Restarts the saga of an order, so that it calls the suppliers at once instead of waiting for its next attempt. The
   * key stays the same, so the new saga finds existing reservations. A saga that has just begun continues, and a result
   * that waits for its commit is only delivered again. A saga that waits for a payment is woken instead.
   */
  retry(order: Order): void {
    const running = this.#running.get(order.id);
    if (running !== undefined) {
      const { clock, notify } = this.#options;
      const { begunAt, result } = running;
      if (result !== undefined) return notify(order.packageId, result);
      // Buyers and events ask often. A restart would cut off each look-up before its answer.
      if (running.kind === 'awaitPayment') return running.wake.ask();
      if (begunAt === undefined || clock.monotonic() - begunAt < justBegunMs) return;
    }
    this.#replace(sagaOf(order), order, { isUrgent: true });
  }

  /** Forgets the saga of an order that needs none any more. */
  forget(orderId: string): void {
    this.#running.delete(orderId);
  }

  /** Stops the former saga of the order, and starts another one when the former has ended. */
  #replace(kind: SagaWork, order: Order, how: SagaStart): void {
    if (this.#ended.aborted) return;
    const former = this.#running.get(order.id);
    former?.stop.abort('replaced');
    const stop = new Abort();
    const running: Running = {
      ...{ kind, stop, wake: new Wake() },
      ...{ begunAt: undefined, result: undefined, ended: Promise.resolve() },
    };
    this.#running.set(order.id, running);
    running.ended = this.#run(kind, order, how, running, former);
  }

  async #run(
    kind: SagaWork,
    order: Order,
    how: SagaStart,
    running: Running,
    former: Running | undefined,
  ): Promise<void> {
    const { runner, clock, notify, log } = this.#options;
    const { id: orderId, packageId } = order;
    const run: SagaRun = {
      ...{ signal: running.stop, wake: running.wake, ...how },
      report: (result, events) => {
        const message = { orderId, epoch: this.#epoch, events, ...result };
        if (message.kind !== 'progress') running.result = message;
        notify(packageId, message);
      },
    };
    if (former !== undefined) await former.ended;
    running.begunAt = clock.monotonic();
    try {
      await runner.run(kind, order, run);
    } catch (err) {
      // A saga fails only because of a bug. The order keeps its unit, and a retry or the next activation tries again.
      log.error({ orderId, packageId, err }, `the saga failed: ${kind}`);
      if (this.#running.get(orderId) === running) this.#running.delete(orderId);
    }
  }
}
