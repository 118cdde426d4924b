import type { SagaResult } from '../../domain/messages.ts';
import { mayHave, type Order, owedStatuses, type TimelineEntry } from '../../domain/order.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../observability/log.ts';
import type { SagaRunner, SagaStart } from '../../saga/saga-runner.ts';
import { StoreUnavailableError, UnreadableError } from '../../storage/store.ts';
import { ContendedError } from '../commands.ts';
import type { OptimisticTransactions } from './optimistic-transactions.ts';

export interface UnownedSagasOptions {
  readonly runner: SagaRunner;
  readonly transactions: OptimisticTransactions;
  readonly clock: Clock;
  readonly log: Log;
  /** Aborts when the process closes, which stops all compensations. */
  readonly closing: AbortSignal;
}

interface Report {
  readonly result: SagaResult;
  readonly events: readonly TimelineEntry[];
}

interface Compensation {
  readonly stop: AbortController;
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
}

const retryMs = 500;

/**
 * Sagas of packages without an owner: books held orders, and compensates the others. Several processes may work on the
 * same order, but this one runs at most one saga for it. The suppliers give each process the same answers, and the
 * first commit decides (rules Q2, Q8).
 */
export class UnownedSagas {
  readonly #options: UnownedSagasOptions;
  readonly #bookings = new Map<string, Promise<Order>>();
  readonly #compensations = new Map<string, Compensation>();

  constructor(options: UnownedSagasOptions) {
    this.#options = options;
  }

  /** The number of compensations under way. */
  get compensations(): number {
    return this.#compensations.size;
  }

  /**
   * Books a held order, unless this is under way. Resolves with the order once its outcome is stored, or with its
   * current state when the signal aborts. An order that is not held is returned as it is. The caller passes the result
   * to {@link compensate}.
   * @param how `isFirst`: the caller has just claimed the unit, so this process has not called a supplier for it
   */
  async book(order: Order, signal: AbortSignal, how: SagaStart = {}): Promise<Order> {
    if (order.status !== 'held') return order;
    const running = this.#bookings.get(order.id);
    if (running !== undefined) return running;
    const booking = this.#book(order, signal, how).finally(() => this.#bookings.delete(order.id));
    this.#bookings.set(order.id, booking);
    return booking;
  }

  /**
   * Cancels the reservations of a compensating or cancelling order, unless this is under way. Resolves when they are
   * cancelled, or when this process closes. Callers should not wait for that without a time limit, because a supplier
   * may refuse to cancel for hours.
   * @param isUrgent whether an operator has asked for it: a compensation under way begins again
   */
  async compensate(order: Order, isUrgent = false): Promise<void> {
    const { id, status } = order;
    const former = this.#compensations.get(id);
    if (!owedStatuses.includes(status) || (former !== undefined && !isUrgent)) return;
    former?.stop.abort('replaced');
    const stop = new AbortController();
    const ended = this.#compensate(order, stop.signal, isUrgent, former?.ended)
      .catch((err: unknown) => this.#options.log.error({ orderId: id, err }, 'compensating an order failed'))
      .finally(() => {
        if (this.#compensations.get(id)?.stop === stop) this.#compensations.delete(id);
      });
    this.#compensations.set(id, { stop, ended });
    await ended;
  }

  /** Resolves when all compensations under way have ended. */
  async idle(): Promise<void> {
    await Promise.all([...this.#compensations.values()].map(({ ended }) => ended));
  }

  async #book(order: Order, signal: AbortSignal, how: SagaStart): Promise<Order> {
    const latest = how.isFirst === true ? order : await this.#noteEarlierSaga(order, signal);
    if (latest.status !== 'held' || signal.aborted) return latest;
    const report = await this.#run(latest, signal, how);
    return report === undefined ? latest : this.#record(latest, report, signal);
  }

  /**
   * Notes that the process which claimed the unit may have called the supplier, before this process calls it too. Should
   * that process still live and get a refusal, the order owes a cancellation nevertheless (rule Q8).
   */
  async #noteEarlierSaga(order: Order, signal: AbortSignal): Promise<Order> {
    if (mayHave('flight', order)) return order;
    const events = [{ at: this.#options.clock.now(), event: 'flight unknown' }] as const;
    return this.#record(order, { result: { kind: 'progress', reserved: {} }, events }, signal);
  }

  async #compensate(
    order: Order,
    stop: AbortSignal,
    isUrgent: boolean,
    former: Promise<void> | undefined,
  ): Promise<void> {
    await former;
    const signal = AbortSignal.any([stop, this.#options.closing]);
    const report = await this.#run(order, signal, { isUrgent });
    if (report !== undefined) await this.#record(order, report, signal);
  }

  /** The report of one saga. Undefined if the signal has stopped the saga. */
  async #run(order: Order, signal: AbortSignal, how: SagaStart): Promise<Report | undefined> {
    const { runner, log } = this.#options;
    let last: Report | undefined;
    const report = (result: SagaResult, events: readonly TimelineEntry[]) => {
      if (result.kind !== 'progress') {
        last = { result, events };
        return;
      }
      this.#store(order, { result, events }, signal).catch((err: unknown) => {
        log.debug({ orderId: order.id, err }, 'the progress of an order could not be stored');
      });
    };
    const kind = order.status === 'held' ? 'book' : 'compensate';
    await runner.run(kind, order, { signal, report, ...how });
    return last;
  }

  /**
   * Retries until the result is stored, because a lost result would mean asking the suppliers again. Gives up if this
   * process cannot read the package any more: a process that can read it books the order again, with the same key.
   * @throws UnreadableError
   */
  async #record(order: Order, report: Report, signal: AbortSignal): Promise<Order> {
    const { clock, log } = this.#options;
    for (;;) {
      try {
        return await this.#store(order, report, signal);
      } catch (error) {
        if (signal.aborted) return order;
        const mayPass = error instanceof StoreUnavailableError || error instanceof ContendedError;
        if (!mayPass || error instanceof UnreadableError) throw error;
        log.warn({ orderId: order.id, err: error }, 'an outcome waits to be stored');
        await clock.sleep(retryMs, signal);
      }
    }
  }

  /** Returns the order as it is stored now, whichever process stored it. */
  async #store({ id, packageId }: Order, { result, events }: Report, signal: AbortSignal): Promise<Order> {
    const { versioned, step } = await this.#options.transactions.run({
      packageId,
      wanted: { ids: [id] },
      messages: (epoch) => [{ orderId: id, epoch, events, ...result }],
      signal,
    });
    const stored = step.change?.updated.find((order) => order.id === id) ?? versioned.orders[0];
    if (stored === undefined) throw new Error(`order ${id} is not stored`);
    return stored;
  }
}
