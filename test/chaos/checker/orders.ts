import type { StoredOrder } from './final-state.ts';
import type { FindingsCollector } from './findings.ts';
import { statuses } from './life-cycle.ts';

/** The erasure of one email. */
export interface Erasure {
  /** When the first request was sent. From then on the email may be gone. */
  askedAt: number;
  /**
   * The first request that was answered with nothing left, by the time when it was sent. Every order that had been
   * stored by then has lost its email by `goneAt`, when the answer arrived.
   */
  doneFrom: number;
  goneAt: number;
}

/** A stored order, and what clients saw of the order. */
export interface OrderTrace {
  readonly order: StoredOrder;
  /** The buyer's email. If it was erased, the former one, as soon as it is known. */
  email: string;
  /** The erasure of the email, as soon as it is known. */
  erasure: Erasure | undefined;
  /** When the first answer with the order arrived. By then the order was stored. */
  knownAt: number;
  /** When the first purchase of the order was sent. Before then the order was not stored. */
  askedAt: number;
  /** For each status, when the first answer arrived that showed the order in that status. */
  firstSeenAt: Float64Array | undefined;
  /** For each status, when the last request was sent whose answer showed the order in that status. */
  lastAskedAt: Float64Array | undefined;
  /** Whether a purchase was answered 201 or 202. */
  isAccepted: boolean;
  /** Whether a cancellation was requested with the order's email, and whether the answer was 200 or 202. */
  isCancelAsked: boolean;
  isCancelled: boolean;
  /** Purchases with the order's key, and how many of them were not refused for good. */
  asked: number;
  askedInDoubt: number;
  /** When the last purchase was sent that had the order's key and was refused without an order. */
  refusedAt: number;
  /** When the last request was sent that had the order's email and was answered 404. */
  missedAt: number;
  /** When the last cancellation was sent that got the answer `in_progress`. */
  inProgressAt: number;
  /** How many answers to purchases without a key contained this order. */
  keylessAnswers: number;
}

/** All stored orders by id, key and package. The checker compares the history with these orders. */
export class Orders {
  readonly #byId = new Map<string, OrderTrace>();
  readonly #byKey = new Map<string, OrderTrace>();
  readonly #byPackage = new Map<number, OrderTrace[]>();

  /** Stores the orders. Also checks rule Q7: no two orders have the same key. */
  constructor(orders: readonly StoredOrder[], collector: FindingsCollector) {
    for (const order of orders) {
      const trace = traceOf(order);
      this.#byId.set(order.id, trace);
      this.#ofPackage(order.packageId).push(trace);
      if (order.key === undefined) continue;
      const name = keyName(order.packageId, order.key);
      const other = this.#byKey.get(name);
      if (other === undefined) this.#byKey.set(name, trace);
      else collector.violation('Q7', `${nameOf(order)} and ${nameOf(other.order)} are stored under one key`);
    }
    for (const traces of this.#byPackage.values()) traces.sort((a, b) => a.order.number - b.order.number);
  }

  get(id: string): OrderTrace | undefined {
    return this.#byId.get(id);
  }

  underKey(packageId: number, key: string): OrderTrace | undefined {
    return this.#byKey.get(keyName(packageId, key));
  }

  all(): Iterable<OrderTrace> {
    return this.#byId.values();
  }

  /** The orders of a package, by number. */
  of(packageId: number): readonly OrderTrace[] {
    return this.#byPackage.get(packageId) ?? [];
  }

  packageIds(): Iterable<number> {
    return this.#byPackage.keys();
  }

  #ofPackage(packageId: number): OrderTrace[] {
    let traces = this.#byPackage.get(packageId);
    if (traces === undefined) {
      traces = [];
      this.#byPackage.set(packageId, traces);
    }
    return traces;
  }
}

function traceOf(order: StoredOrder): OrderTrace {
  return {
    order,
    email: order.email,
    erasure: undefined,
    knownAt: Number.POSITIVE_INFINITY,
    askedAt: Number.POSITIVE_INFINITY,
    firstSeenAt: undefined,
    lastAskedAt: undefined,
    isAccepted: false,
    isCancelAsked: false,
    isCancelled: false,
    asked: 0,
    askedInDoubt: 0,
    refusedAt: Number.NEGATIVE_INFINITY,
    missedAt: Number.NEGATIVE_INFINITY,
    inProgressAt: Number.NEGATIVE_INFINITY,
    keylessAnswers: 0,
  };
}

/** Records that a request showed the order in this status. */
export function recordSighting(trace: OrderTrace, status: string, sentAt: number, endedAt: number): void {
  trace.knownAt = Math.min(trace.knownAt, endedAt);
  trace.firstSeenAt ??= new Float64Array(statuses.length).fill(Number.POSITIVE_INFINITY);
  trace.lastAskedAt ??= new Float64Array(statuses.length).fill(Number.NEGATIVE_INFINITY);
  const index = statuses.indexOf(status);
  if (index < 0) return;
  trace.firstSeenAt[index] = Math.min(trace.firstSeenAt[index] as number, endedAt);
  trace.lastAskedAt[index] = Math.max(trace.lastAskedAt[index] as number, sentAt);
}

/** Whether two emails are the same, without regard to case and surrounding blanks. */
export function isSameEmail(one: string, other: string): boolean {
  return one === other || canonical(one) === canonical(other);
}

export function canonical(email: string): string {
  return email.trim().toLowerCase();
}

export function nameOf({ id, number, packageId }: StoredOrder): string {
  return `order ${id} (number ${number} of package ${packageId})`;
}

function keyName(packageId: number, key: string): string {
  return `${packageId} ${key}`;
}
