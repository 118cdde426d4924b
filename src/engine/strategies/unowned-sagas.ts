import type { SagaResult } from '../../domain/messages.ts';
import { type Order, sagaStatuses, type TimelineEntry } from '../../domain/order.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../observability/log.ts';
import type { SagaRunner } from '../../saga/saga.ts';
import { StoreUnavailableError } from '../../storage/store.ts';
import { ContendedError } from '../commands.ts';
import type { OptimisticTransactions } from './optimistic-transactions.ts';

export interface UnownedSagasOptions {
  readonly runner: SagaRunner;
  readonly transactions: OptimisticTransactions;
  readonly clock: Clock;
  readonly log: Log;
}

interface Report {
  readonly result: SagaResult;
  readonly events: readonly TimelineEntry[];
}

const retryMs = 500;

/**
 * Sagas of packages without an owner: books held orders, and compensates the others. Several processes may work on the
 * same order. The suppliers give each process the same answers, and the first commit decides (rules Q2, Q8).
 */
export class UnownedSagas {
  readonly #options: UnownedSagasOptions;

  constructor(options: UnownedSagasOptions) {
    this.#options = options;
  }

  /**
   * Runs the saga of an order. Resolves once the order needs no saga, or with its current state when the signal aborts.
   * @param isUrgent whether an operator has asked for it
   */
  async finish(order: Order, signal: AbortSignal, isUrgent = false): Promise<Order> {
    let latest = order;
    while (sagaStatuses.includes(latest.status) && !signal.aborted) {
      const report = await this.#run(latest, signal, isUrgent);
      if (report === undefined) break;
      latest = await this.#record(latest, report, signal);
    }
    return latest;
  }

  /** The report of one saga. Undefined if the signal has stopped the saga. */
  async #run(order: Order, signal: AbortSignal, isUrgent: boolean): Promise<Report | undefined> {
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
    await runner.run(order.status === 'held' ? 'book' : 'compensate', order, { signal, report, isUrgent });
    return last;
  }

  /** Retries until the result is stored, because a lost result would mean asking the suppliers again. */
  async #record(order: Order, report: Report, signal: AbortSignal): Promise<Order> {
    const { clock, log } = this.#options;
    for (;;) {
      try {
        return await this.#store(order, report, signal);
      } catch (error) {
        if (signal.aborted) return order;
        if (!(error instanceof StoreUnavailableError || error instanceof ContendedError)) throw error;
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
