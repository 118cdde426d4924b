import pLimit, { type LimitFunction } from 'p-limit';
import type { PackageMessage } from '../domain/messages.ts';
import type { Order } from '../domain/order.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../observability/log.ts';
import { type Metrics, noMetrics, type SagaOutcome } from '../observability/metrics.ts';
import type { Suppliers } from '../suppliers/suppliers.ts';
import type { OrderTraces } from './order-traces.ts';
import { bookOrder, compensateOrder, type SagaOptions } from './saga.ts';

export interface SagasOptions {
  readonly suppliers: Suppliers;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics?: Metrics;
  /** Absent where nothing is traced. */
  readonly traces?: OrderTraces | undefined;
  /** Puts a message into a package's mailbox, if its actor is active. */
  readonly notify: (packageId: number, message: PackageMessage) => void;
}

/**
 * Booking calls under way at once in this process, as many as a batch of callers that a bench or a balancer keeps
 * waiting; cancels have as many of their own, so neither starves the other.
 */
const sagasMax = 512;
/** A saga that has begun so lately is trying: to stop it would only cost it its call. */
const justBegunMs = 2_000;

/** How metrics call the results of a saga. */
export const sagaEnds = {
  booked: 'booked',
  refused: 'refused',
  needsCompensation: 'owing',
  compensated: 'cleared',
} as const;

/** Whose turn it is, over all packages of this process. */
export class SagaSlots {
  readonly bookings: LimitFunction = pLimit(sagasMax);
  readonly compensations: LimitFunction = pLimit(sagasMax);

  /** Those that run, and those that wait for their turn. */
  get count(): number {
    const both = [this.bookings, this.compensations];
    return both.reduce((sum, { activeCount, pendingCount }) => sum + activeCount + pendingCount, 0);
  }
}

interface Running {
  readonly stop: AbortController;
  /** ms since the epoch; undefined while it waits for its turn. */
  begunAt: number | undefined;
}

/** The sagas of one activation of a package, one per order: they run beside the loop. */
export class ActivationSagas {
  readonly #options: SagasOptions;
  readonly #turns: SagaSlots;
  readonly #epoch: number;
  readonly #ended: AbortSignal;
  readonly #running = new Map<string, Running>();

  /** @param ended aborts when the activation ends, and all of them with it. */
  constructor(options: SagasOptions, turns: SagaSlots, epoch: number, ended: AbortSignal) {
    this.#options = options;
    this.#turns = turns;
    this.#epoch = epoch;
    this.#ended = ended;
    ended.addEventListener('abort', () => this.#stopAll(), { once: true });
  }

  /** What becomes of it comes back as a message that carries the epoch. */
  start(what: 'book' | 'compensate', order: Order): void {
    const { suppliers, clock, notify, log, traces, metrics = noMetrics } = this.#options;
    const { id: orderId, packageId } = order;
    const epoch = this.#epoch;
    const running: Running = { stop: new AbortController(), begunAt: undefined };
    const { signal } = running.stop;
    this.#running.set(orderId, running);
    let end: SagaOutcome = 'stopped';
    const report: SagaOptions['report'] = (result, events) => {
      if (result.kind !== 'progress') end = sagaEnds[result.kind];
      notify(packageId, { orderId, epoch, events, ...result });
    };
    const options: SagaOptions = { suppliers, clock, signal, report };
    const saga = async () => {
      if (signal.aborted || this.#ended.aborted) return;
      running.begunAt = clock.now();
      const work = () => (what === 'book' ? bookOrder(order, options) : compensateOrder(order, options));
      await (traces === undefined ? work() : traces.saga(name, order, work));
    };
    const name = what === 'book' ? 'book' : 'clear';
    const ended = metrics.saga(name);
    const turn = what === 'book' ? this.#turns.bookings : this.#turns.compensations;
    turn(saga).then(
      () => {
        ended(end);
        this.#forget(orderId, running);
      },
      (err: unknown) => {
        ended('failed');
        this.#forget(orderId, running);
        // A bug: the order keeps its unit and is tried again at the next activation.
        log.error({ orderId, packageId, err }, `the saga failed: ${what}`);
      },
    );
  }

  /**
   * Begins an order's saga anew, so that it asks at once instead of waiting for its next attempt. The former one is
   * stopped first: it starts no further call, and says nothing more. Its key stays the same, so whatever it has
   * reached at a supplier is found again.
   */
  retry(order: Order): void {
    const running = this.#running.get(order.id);
    if (running !== undefined) {
      const { begunAt, stop } = running;
      if (begunAt === undefined || this.#options.clock.now() - begunAt < justBegunMs) return;
      stop.abort('begun anew');
    }
    this.start(order.status === 'held' ? 'book' : 'compensate', order);
  }

  /** Another may have followed it by now: what could not be booked is cleared. */
  #forget(orderId: string, running: Running): void {
    if (this.#running.get(orderId) === running) this.#running.delete(orderId);
  }

  #stopAll(): void {
    for (const { stop } of this.#running.values()) stop.abort(this.#ended.reason);
  }
}
