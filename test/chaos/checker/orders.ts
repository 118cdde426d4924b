import type { StoredOrder } from './final-state.ts';
import type { Notes } from './findings.ts';
import { statuses } from './life-cycle.ts';

/** One stored order, and what the clients saw of it. */
export interface Trace {
  readonly order: StoredOrder;
  /** When the first answer that carried it was whole: it was stored by then. */
  knownAt: number;
  /** When it was first asked for: it was not stored before. */
  askedAt: number;
  /** When the first answer that showed it in a status was whole, by the status's index. */
  firstSeenAt: Float64Array | undefined;
  /** When the last request was sent whose answer showed it in a status. */
  lastAskedAt: Float64Array | undefined;
  /** 201 or 202 was answered. */
  isAccepted: boolean;
  /** Whether its cancel was asked for with its email, and whether that was answered 200 or 202. */
  isCancelAsked: boolean;
  isCancelled: boolean;
  /** Purchases under its key, and how many of them were not refused for good. */
  asked: number;
  askedInDoubt: number;
  /** When the last purchase under its key was sent that was refused without it. */
  refusedAt: number;
  /** When the last request for it by its email was sent that was answered 404. */
  missedAt: number;
  /** When the last cancel was sent that was told that the order is still being booked. */
  inProgressAt: number;
  /** Purchases without a key that were answered with it. */
  keylessAnswers: number;
}

/** All stored orders: by id, by key, by package. Whatever the history says of an order is held against these. */
export class Orders {
  readonly #byId = new Map<string, Trace>();
  readonly #byKey = new Map<string, Trace>();
  readonly #byPackage = new Map<number, Trace[]>();

  /** Rule Q7, too: no two orders under one key. */
  constructor(orders: readonly StoredOrder[], notes: Notes) {
    for (const order of orders) {
      const trace = traceOf(order);
      this.#byId.set(order.id, trace);
      this.#ofPackage(order.packageId).push(trace);
      if (order.key === undefined) continue;
      const name = keyName(order.packageId, order.key);
      const other = this.#byKey.get(name);
      if (other === undefined) this.#byKey.set(name, trace);
      else notes.violation('Q7', `${nameOf(order)} and ${nameOf(other.order)} are stored under one key`);
    }
    for (const traces of this.#byPackage.values()) traces.sort((a, b) => a.order.number - b.order.number);
  }

  get(id: string): Trace | undefined {
    return this.#byId.get(id);
  }

  underKey(packageId: number, key: string): Trace | undefined {
    return this.#byKey.get(keyName(packageId, key));
  }

  all(): Iterable<Trace> {
    return this.#byId.values();
  }

  /** By number. */
  of(packageId: number): readonly Trace[] {
    return this.#byPackage.get(packageId) ?? [];
  }

  packageIds(): Iterable<number> {
    return this.#byPackage.keys();
  }

  #ofPackage(packageId: number): Trace[] {
    let traces = this.#byPackage.get(packageId);
    if (traces === undefined) {
      traces = [];
      this.#byPackage.set(packageId, traces);
    }
    return traces;
  }
}

function traceOf(order: StoredOrder): Trace {
  return {
    order,
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

/** Notes that a request which was sent and answered then showed the order in this status. */
export function sight(trace: Trace, status: string, sentAt: number, endedAt: number): void {
  trace.knownAt = Math.min(trace.knownAt, endedAt);
  trace.firstSeenAt ??= new Float64Array(statuses.length).fill(Number.POSITIVE_INFINITY);
  trace.lastAskedAt ??= new Float64Array(statuses.length).fill(Number.NEGATIVE_INFINITY);
  const index = statuses.indexOf(status);
  if (index < 0) return;
  trace.firstSeenAt[index] = Math.min(trace.firstSeenAt[index] as number, endedAt);
  trace.lastAskedAt[index] = Math.max(trace.lastAskedAt[index] as number, sentAt);
}

/** Emails are the same whatever their case, and blanks around them count for nothing. */
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
