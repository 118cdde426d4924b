import type { SagaResult } from '../../domain/messages.ts';
import { type Order, sagaStatuses, type TimelineEntry } from '../../domain/order.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../observability/log.ts';
import { type Metrics, noMetrics, type SagaOutcome } from '../../observability/metrics.ts';
import { sagaEnds } from '../../saga/activation-sagas.ts';
import { bookOrder, compensateOrder } from '../../saga/saga.ts';
import { StoreUnavailableError } from '../../storage/store.ts';
import type { Suppliers } from '../../suppliers/suppliers.ts';
import { ContendedError } from '../answers.ts';
import type { Limits, OptimisticTransactions } from './optimistic-transactions.ts';

export interface SagaRunnerOptions {
  readonly transactor: OptimisticTransactions;
  readonly suppliers: Suppliers;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics?: Metrics;
}

interface SagaReport {
  readonly result: SagaResult;
  readonly events: readonly TimelineEntry[];
}

const retryMs = 500;

/**
 * Brings orders that hold a unit to their end: books what is held, cancels what is owed. Several processes may have
 * the same order in hand; the suppliers give each the same answers, and the first to commit decides (rules Q2, Q8).
 */
export class SagaRunner {
  readonly #options: SagaRunnerOptions;

  constructor(options: SagaRunnerOptions) {
    this.#options = options;
  }

  /** Returns the order as it has ended, or as it stands when the signal aborts. */
  async finish(order: Order, signal: AbortSignal): Promise<Order> {
    let latest = order;
    while (sagaStatuses.includes(latest.status) && !signal.aborted) {
      const word = await this.#work(latest, signal);
      if (word === undefined) break;
      latest = await this.#record(latest, word, signal);
    }
    return latest;
  }

  /** Undefined when the signal has ended the saga. */
  async #work(order: Order, signal: AbortSignal): Promise<SagaReport | undefined> {
    const { suppliers, clock, log, metrics = noMetrics } = this.#options;
    let last: SagaReport | undefined;
    let end: SagaOutcome = 'stopped';
    const report = (result: SagaResult, events: readonly TimelineEntry[]) => {
      if (result.kind !== 'progress') {
        end = sagaEnds[result.kind];
        last = { result, events };
        return;
      }
      this.#store(order, { result, events }, { signal }).catch((err: unknown) => {
        log.debug({ orderId: order.id, err }, 'the progress of an order could not be stored');
      });
    };
    const [kind, saga] =
      order.status === 'held' ? (['book', bookOrder] as const) : (['clear', compensateOrder] as const);
    const ended = metrics.saga(kind);
    await saga(order, { suppliers, clock, signal, report }).finally(() => ended(end));
    return last;
  }

  /** Keeps at it until it is stored: a result that got lost would have to be asked for again. */
  async #record(order: Order, word: SagaReport, signal: AbortSignal): Promise<Order> {
    const { clock, log } = this.#options;
    for (;;) {
      try {
        return await this.#store(order, word, { signal });
      } catch (error) {
        if (signal.aborted) return order;
        if (!(error instanceof StoreUnavailableError || error instanceof ContendedError)) throw error;
        log.warn({ orderId: order.id, err: error }, 'an outcome waits to be stored');
        await clock.sleep(retryMs, signal);
      }
    }
  }

  /** Returns the order as it is stored now, whoever brought it there. */
  async #store({ id, packageId }: Order, { result, events }: SagaReport, limits: Limits): Promise<Order> {
    const { present, step } = await this.#options.transactor.run({
      packageId,
      wanted: { ids: [id] },
      messages: (epoch) => [{ orderId: id, epoch, events, ...result }],
      ...limits,
    });
    const stored = step.change?.updated.find((order) => order.id === id) ?? present.orders[0];
    if (stored === undefined) throw new Error(`order ${id} is not stored`);
    return stored;
  }
}
