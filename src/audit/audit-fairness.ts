import type { Order, TimelineEvent } from '../domain/order.ts';

/** What ends an order's stay in the line. */
const leaving: ReadonlySet<TimelineEvent> = new Set(['claimed', 'withdrawn', 'sold out']);

/**
 * Rule Q5, from the orders of one package by number: when an order is claimed, all those before it have left the
 * line. An order that still waits behind a claimed one proves a breach by itself. Otherwise only times can tell;
 * they do while the clock that wrote them never went back, which the line itself shows: those who came later
 * must not have come earlier.
 */
export class Fairness {
  readonly #clockSkewMs: number;
  /** The first order that still waits: one breach is named for it, however many overtook it. */
  #waiting: Order | undefined;
  /** The order that left the line last so far, and the claims that came before it did. */
  #last: { readonly order: Order; readonly leftAt: number; overtakenBy: number } | undefined;
  #cameLastAt = Number.NEGATIVE_INFINITY;
  #hasClockGoneBack = false;
  readonly #standing: string[] = [];
  readonly #timed: string[] = [];

  /** @param clockSkewMs how far the clocks of different owners may be apart. */
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

  /** What was unfair, a sentence each. */
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

  /** One breach for each order that was overtaken, however many overtook it. */
  #overtaken(order: Order, at: number, last: { order: Order; leftAt: number; overtakenBy: number }): void {
    last.overtakenBy += 1;
    if (last.overtakenBy > 1) return;
    this.#timed.push(
      `order ${order.id} (number ${order.number}) got a unit ${last.leftAt - at} ms before order ` +
        `${last.order.id} (number ${last.order.number}) left the line`,
    );
  }

  #watchClock(cameAt: number, leftAt: number): void {
    if (cameAt < this.#cameLastAt || leftAt < cameAt) this.#hasClockGoneBack = true;
    this.#cameLastAt = Math.max(this.#cameLastAt, cameAt);
  }
}
