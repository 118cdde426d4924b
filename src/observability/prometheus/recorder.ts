import type { Order } from '../../domain/order.ts';
import type { SupplierKind } from '../../suppliers/suppliers.ts';
import type { GaugeName, Metrics, SagaKind, SagaOutcome, SupplierCallOutcome } from '../metrics.ts';
import { Counter, Histogram, metric } from './instruments.ts';

const sagaKinds: readonly SagaKind[] = ['book', 'clear'];
/** The last status of an order. Only a confirmed order may change once more, to cancelled. */
const ends: readonly Order['status'][] = ['confirmed', 'failed', 'rejected', 'withdrawn', 'cancelled'];

/** The upper bounds of histogram buckets. */
const quick = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const requestTimes = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const long = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
const sizes = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000];

/** Records what an instance reports, until it is scraped. */
export class MetricsRecorder implements Metrics {
  readonly counters = {
    purchases: new Counter(
      metric('purchases_total', 'Purchases by outcome: confirmed, accepted, or an error code.', 'outcome'),
      ['confirmed', 'accepted', 'sold_out', 'no_owner'],
    ),
    orders: new Counter(
      metric('orders_total', 'Orders that this instance brought to an end, by last status.', 'status'),
      ends,
    ),
    requests: new Counter(
      metric('http_requests_total', 'HTTP requests; 499 if the client hung up.', 'route', 'method', 'status'),
    ),
    commitFailures: new Counter(
      metric('commit_failures_total', 'Commits not known to be applied, by kind.', 'kind'),
      ['fenced', 'unknown', 'unavailable', 'refused'],
    ),
    fencedWrites: new Counter(
      metric('fenced_writes_total', 'Writes of replaced owners, by what refused them.', 'by'),
      ['lease', 'store'],
    ),
    staleRefusals: new Counter(
      metric('stale_refusals_total', 'Answers sold_out of replaced owners that were not used.'),
    ),
    takeovers: new Counter(
      metric('takeovers_total', 'Packages that this instance has taken over.', 'unfinished_orders'),
      ['yes', 'no'],
    ),
    messages: new Counter(metric('messages_total', 'Requests to other instances, by result.', 'result'), [
      'answered',
      'no_answer',
      'inbox_full',
      'unavailable',
    ]),
  };
  readonly histograms = {
    request: new Histogram(
      metric('http_request_duration_seconds', 'From a request to the end of its answer.', 'route', 'method'),
      requestTimes,
    ),
    batch: new Histogram(metric('batch_size_messages', 'Messages that an actor took in one batch.'), sizes),
    commit: new Histogram(metric('commit_duration_seconds', 'Applied commits.'), quick),
    saga: new Histogram(
      metric('saga_duration_seconds', 'From the time a saga is due to its end.', 'saga', 'result'),
      long,
      ['book', 'booked'],
    ),
    settling: new Histogram(
      metric('order_settling_seconds', 'From the acceptance of an order to its last status.', 'status'),
      long,
      ['confirmed'],
    ),
    supplierCall: new Histogram(
      metric('supplier_call_duration_seconds', 'Single attempts at a supplier.', 'supplier', 'result'),
      quick,
    ),
  };
  readonly openBreakers = new Set<SupplierKind>();
  /** How the gauges are read. */
  readonly gauges = new Map<GaugeName, () => number | Promise<number>>();
  /** When each unfinished saga was due, by kind, the oldest first. */
  readonly #sagas = { book: new Set<{ at: number }>(), clear: new Set<{ at: number }>() };

  purchase(outcome: string): void {
    this.counters.purchases.add(outcome);
  }

  request(route: string, method: string, status: number, seconds: number): void {
    this.counters.requests.add(route, method, status);
    this.histograms.request.observe(seconds, route, method);
  }

  batch(messages: number): void {
    this.histograms.batch.observe(messages);
  }

  commit(): (outcome: string) => void {
    const at = performance.now();
    return (outcome) => {
      if (outcome === 'applied') return this.histograms.commit.observe(secondsSince(at));
      this.counters.commitFailures.add(outcome);
      if (outcome === 'fenced') this.counters.fencedWrites.add('store');
    };
  }

  committed({ inserted, updated }: { inserted: readonly Order[]; updated: readonly Order[] }): void {
    for (const order of updated) this.#changed(order);
    for (const order of inserted) this.#changed(order);
  }

  staleWrite(): void {
    this.counters.fencedWrites.add('lease');
  }

  staleRefusal(): void {
    this.counters.staleRefusals.add();
  }

  takeover(hadUnfinishedOrders: boolean): void {
    this.counters.takeovers.add(hadUnfinishedOrders ? 'yes' : 'no');
  }

  saga(kind: SagaKind): (outcome: SagaOutcome) => void {
    const due = { at: performance.now() };
    const unfinished = this.#sagas[kind];
    unfinished.add(due);
    return (outcome) => {
      unfinished.delete(due);
      this.histograms.saga.observe(secondsSince(due.at), kind, outcome);
    };
  }

  supplierCall(kind: SupplierKind): (outcome: SupplierCallOutcome) => void {
    const at = performance.now();
    return (outcome) => this.histograms.supplierCall.observe(secondsSince(at), kind, outcome);
  }

  breaker(kind: SupplierKind, isOpen: boolean): void {
    if (isOpen) this.openBreakers.add(kind);
    else this.openBreakers.delete(kind);
  }

  message(outcome: string): void {
    this.counters.messages.add(outcome);
  }

  gauge(name: GaugeName, read: () => number | Promise<number>): void {
    this.gauges.set(name, read);
  }

  /** How many sagas of each kind are unfinished, and for how many seconds the oldest of them has been due. */
  sagas(): readonly { readonly saga: SagaKind; readonly count: number; readonly oldestSeconds: number }[] {
    return sagaKinds.map((saga) => {
      const [oldest] = this.#sagas[saga];
      const oldestSeconds = oldest === undefined ? 0 : secondsSince(oldest.at);
      return { saga, count: this.#sagas[saga].size, oldestSeconds };
    });
  }

  #changed({ status, createdAt, timeline }: Order): void {
    if (!ends.includes(status)) return;
    this.counters.orders.add(status);
    // A cancelled order was settled when it was confirmed.
    if (status === 'cancelled') return;
    const endedAt = timeline.at(-1)?.at ?? createdAt;
    this.histograms.settling.observe(Math.max(0, endedAt - createdAt) / 1_000, status);
  }
}

function secondsSince(at: number): number {
  return (performance.now() - at) / 1_000;
}
