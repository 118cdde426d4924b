import type { Order } from '../../domain/order.ts';
import type { SupplierKind } from '../../suppliers/suppliers.ts';
import type {
  GaugeName,
  MessageOutcome,
  Metrics,
  SagaKind,
  SagaOutcome,
  SupplierCallOutcome,
} from '../metrics.ts';
import { bounds, counters, histograms } from './catalogue.ts';
import { Counter, Histogram } from './instruments.ts';

const commitFailures = ['fenced', 'unknown', 'unavailable', 'refused'] as const;
const messageEnds: readonly MessageOutcome[] = ['answered', 'no_answer', 'inbox_full', 'unavailable'];
const sagaKinds: readonly SagaKind[] = ['book', 'clear'];
/** The last status of an order, unless a confirmed one is cancelled. */
const ends: readonly Order['status'][] = ['confirmed', 'failed', 'rejected', 'withdrawn', 'cancelled'];

/** Keeps what an instance tells of itself, in memory, until somebody looks. */
export class MetricsRecorder implements Metrics {
  readonly purchases = new Counter(counters.purchases, [
    ['confirmed'],
    ['accepted'],
    ['sold_out'],
    ['no_owner'],
  ]);
  readonly orders = new Counter(
    counters.orders,
    ends.map((end) => [end]),
  );
  readonly requests = new Counter(counters.requests);
  readonly commitFailures = new Counter(
    counters.commitFailures,
    commitFailures.map((kind) => [kind]),
  );
  readonly fencedWrites = new Counter(counters.fencedWrites, [['lease'], ['store']]);
  readonly staleRefusals = new Counter(counters.staleRefusals);
  readonly takeovers = new Counter(counters.takeovers, [['yes'], ['no']]);
  readonly messages = new Counter(
    counters.messages,
    messageEnds.map((end) => [end]),
  );
  readonly requestTimes = new Histogram(histograms.request, bounds.request);
  readonly batches = new Histogram(histograms.batch, bounds.size);
  readonly commitTimes = new Histogram(histograms.commit, bounds.quick);
  readonly sagaTimes = new Histogram(histograms.saga, bounds.long, [['book', 'booked']]);
  readonly settling = new Histogram(histograms.settling, bounds.long, [['confirmed']]);
  readonly supplierTimes = new Histogram(histograms.supplierCall, bounds.quick);
  readonly openBreakers = new Set<SupplierKind>();
  readonly readings = new Map<GaugeName, () => number | Promise<number>>();
  /** When each saga that is under way was due, the oldest first. */
  readonly #sagas = { book: new Set<{ at: number }>(), clear: new Set<{ at: number }>() };
  readonly #now: () => number;

  /** @param now ms on a clock that never jumps. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  purchase(outcome: string): void {
    this.purchases.add(outcome);
  }

  request(route: string, method: string, status: number, seconds: number): void {
    this.requests.add(route, method, status);
    this.requestTimes.observe(seconds, route, method);
  }

  batch(messages: number): void {
    this.batches.observe(messages);
  }

  commit(): (end: string) => void {
    const at = this.#now();
    return (end) => {
      if (end === 'applied') return this.commitTimes.observe((this.#now() - at) / 1_000);
      this.commitFailures.add(end);
      if (end === 'fenced') this.fencedWrites.add('store');
    };
  }

  committed({ inserted, updated }: { inserted: readonly Order[]; updated: readonly Order[] }): void {
    for (const order of updated) this.#ended(order);
    for (const order of inserted) this.#ended(order);
  }

  staleWrite(): void {
    this.fencedWrites.add('lease');
  }

  staleRefusal(): void {
    this.staleRefusals.add();
  }

  takeover(hadUnfinishedOrders: boolean): void {
    this.takeovers.add(hadUnfinishedOrders ? 'yes' : 'no');
  }

  saga(kind: SagaKind): (end: SagaOutcome) => void {
    const due = { at: this.#now() };
    const underWay = this.#sagas[kind];
    underWay.add(due);
    return (end) => {
      underWay.delete(due);
      this.sagaTimes.observe((this.#now() - due.at) / 1_000, kind, end);
    };
  }

  supplierCall(kind: SupplierKind): (end: SupplierCallOutcome) => void {
    const at = this.#now();
    return (end) => this.supplierTimes.observe((this.#now() - at) / 1_000, kind, end);
  }

  breaker(kind: SupplierKind, isOpen: boolean): void {
    if (isOpen) this.openBreakers.add(kind);
    else this.openBreakers.delete(kind);
  }

  message(end: MessageOutcome): void {
    this.messages.add(end);
  }

  gauge(name: GaugeName, read: () => number | Promise<number>): void {
    this.readings.set(name, read);
  }

  /** How many sagas are under way, and for how many seconds the oldest of them, by kind. */
  sagas(): readonly { readonly kind: SagaKind; readonly count: number; readonly oldestSeconds: number }[] {
    return sagaKinds.map((kind) => {
      const [oldest] = this.#sagas[kind];
      const oldestSeconds = oldest === undefined ? 0 : (this.#now() - oldest.at) / 1_000;
      return { kind, count: this.#sagas[kind].size, oldestSeconds };
    });
  }

  #ended({ status, createdAt, timeline }: Order): void {
    if (!ends.includes(status)) return;
    this.orders.add(status);
    // What is cancelled had its outcome long before.
    if (status === 'cancelled') return;
    const endedAt = timeline.at(-1)?.at ?? createdAt;
    this.settling.observe(Math.max(0, endedAt - createdAt) / 1_000, status);
  }
}
