import type { EraseEntry, HistoryEntry } from '../history.ts';
import type { FindingsCollector } from './findings.ts';
import { clockToleranceMs } from './numbers.ts';
import { canonical, type Erasure, nameOf, type Orders, type OrderTrace } from './orders.ts';

/** The address of an order whose email was erased. */
const placeholder = /^erased-[0-9a-f]+@erased\.invalid$/;

export function isErased({ order }: OrderTrace): boolean {
  return placeholder.test(order.email);
}

/**
 * Checks that an erased email is gone, and that no other email is (rule `erase`). An order that was erased does not say
 * whose it was, so its requests wait until the whole history is read. Then its buyer is known: an email that the operators
 * erased, and that was used for this order.
 */
export class Erasures {
  readonly #orders: Orders;
  readonly #collector: FindingsCollector;
  readonly #byEmail = new Map<string, Erasure>();

  constructor(orders: Orders, collector: FindingsCollector) {
    this.#orders = orders;
    this.#collector = collector;
  }

  see({ email, status, left, sentAt, endedAt }: EraseEntry): void {
    const name = canonical(email);
    const erasure = this.#byEmail.get(name) ?? never();
    this.#byEmail.set(name, erasure);
    erasure.askedAt = Math.min(erasure.askedAt, sentAt);
    if (status !== 200 || left !== 0 || endedAt >= erasure.goneAt) return;
    erasure.doneFrom = sentAt;
    erasure.goneAt = endedAt;
  }

  /** Tells each erased order its former email. `emails` are those that were used for the order. */
  identify(trace: OrderTrace, emails: Iterable<string>): void {
    const names = new Set([...emails].map(canonical));
    const erased = [...names].filter((name) => this.#byEmail.has(name));
    const [email] = erased;
    if (erased.length === 1 && email !== undefined) {
      trace.email = email;
      trace.erasure = this.#byEmail.get(email);
      return;
    }
    const whose =
      erased.length === 0 ? 'although no operator asked for it' : `and was ${erased.join(' and ')}`;
    this.#collector.violation('erase', `${nameOf(trace.order)} lost its email, ${whose}`);
  }

  /** Call it after the whole history. */
  finish(): void {
    for (const { order } of this.#orders.all()) {
      const erasure = this.#byEmail.get(canonical(order.email));
      const storedAt = order.timeline[0]?.at ?? Number.POSITIVE_INFINITY;
      if (erasure === undefined || storedAt + clockToleranceMs >= erasure.doneFrom) continue;
      const words = `has its email, which was erased by a request sent at ${erasure.doneFrom}`;
      this.#collector.violation('erase', `${nameOf(order)} ${words}`);
    }
    this.#collector.count('emails erased', [...this.#byEmail.values()].filter(isDone).length);
  }
}

/** The email that a request used for an order; undefined if it used none. */
export function emailUsed(request: HistoryEntry): string | undefined {
  return 'email' in request ? request.email : undefined;
}

function never(): Erasure {
  const { POSITIVE_INFINITY } = Number;
  return { askedAt: POSITIVE_INFINITY, doneFrom: Number.NEGATIVE_INFINITY, goneAt: POSITIVE_INFINITY };
}

function isDone({ goneAt }: Erasure): boolean {
  return goneAt !== Number.POSITIVE_INFINITY;
}
