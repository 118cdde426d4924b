import type { Order, TimelineEvent } from '../domain/order.ts';

/** The events that end an order's stay in the queue. */
const leaving: ReadonlySet<TimelineEvent> = new Set(['claimed', 'withdrawn', 'sold out']);

/**
 * Checks rule Q5 on the orders of one package, read by number: when an order is claimed, all orders with smaller
 * numbers must have left the queue. An order that still waits although a later order was claimed proves a breach. For
 * orders that have left the queue, only their times can prove a breach. Times count only if the clock never went back,
 * which is so if the times of arrival grow with the order numbers.
 */
export class Fairness {
  readonly #clockSkewMs: number;
  /** The first order that still waits. It is reported in a single breach, however many orders overtook it. */
  #waiting: Order | undefined;
  /** The order that left the queue last so far, and how many later orders were claimed before it left. */
  #last: { readonly order: Order; readonly leftAt: number; overtakenBy: number } | undefined;
  #cameLastAt = Number.NEGATIVE_INFINITY;
  #hasClockGoneBack = false;
  readonly #standing: string[] = [];
  readonly #timed: string[] = [];

  /** @param clockSkewMs the greatest difference between the clocks of different owners, in ms. */
  constructor(clockSkewMs: number) {
    this.#clockSkewMs = clockSkewMs;
  }

  see(order: Order): void {
    const cameAt = order.timeline[0]?.at ?? order.createdAt;
    const left = order.timeline.find(({ event }) => leaving.has(event));
    this.#watchClock(cameAt, left?.at ?? cameAt);
    if (left?.event === 'claimed') this.#claimed(order, left.at);
    if (order.status === 'queued') this.#waiting ??= order;
    else if (left && left.at > (this.#last?.leftAt ?? Number.NEGATIVE_INFINITY)) {
      this.#last = { order, leftAt: left.at, overtakenBy: 0 };
    }
  }

  /** One sentence for each breach. */
  breaches(): string[] {
    return this.#hasClockGoneBack ? this.#standing : [...this.#standing, ...this.#timed];
  }

  #claimed(order: Order, at: number): void {
    if (this.#waiting && this.#standing.length === 0) {
      const { id, number } = this.#waiting;
      this.#standing.push(
        `order ${order.id} (number ${order.number}) got a unit while order ${id} (number ${number}) waits`,
      );
    }
    if (this.#last && at + this.#clockSkewMs < this.#last.leftAt) this.#overtaken(order, at, this.#last);
  }

  /** Records one breach for each overtaken order, however many orders overtook it. */
  #overtaken(order: Order, at: number, last: { order: Order; leftAt: number; overtakenBy: number }): void {
    last.overtakenBy += 1;
    if (last.overtakenBy > 1) return;
    this.#timed.push(
      `order ${order.id} (number ${order.number}) got a unit ${last.leftAt - at} ms before order ` +
        `${last.order.id} (number ${last.order.number}) left the queue`,
    );
  }

  #watchClock(cameAt: number, leftAt: number): void {
    if (cameAt < this.#cameLastAt || leftAt < cameAt) this.#hasClockGoneBack = true;
    this.#cameLastAt = Math.max(this.#cameLastAt, cameAt);
  }
}
