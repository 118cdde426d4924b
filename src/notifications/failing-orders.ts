/**
 * The most failing orders that a lane remembers: the first by id, so that a pass that retries them reads few others.
 * While there are so many, the lane reads no further. Refused recipients have their own limit, because they say nothing
 * about the other recipients.
 */
const failingMax = 1_000;
const refusedMax = 10_000;

export interface FailingOrder {
  readonly attempts: number;
  /** When it began to fail in this way, and when the next attempt is due, in ms on the monotonic clock. */
  readonly since: number;
  readonly nextAt: number;
  /** Whether the receiver refuses this recipient alone. */
  readonly isOfRecipient: boolean;
}

/** The failing orders of a lane, by their ids. */
export class FailingOrders {
  readonly #orders = new Map<string, FailingOrder>();
  /** How many of them have a recipient who is refused. */
  #refused = 0;

  get size(): number {
    return this.#orders.size;
  }

  get isFull(): boolean {
    return this.#orders.size - this.#refused >= failingMax || this.#refused >= refusedMax;
  }

  /** When the oldest of them began to fail, without refused recipients. */
  get since(): number | undefined {
    let oldest: number | undefined;
    for (const { since, isOfRecipient } of this.#orders.values())
      if (!isOfRecipient && (oldest === undefined || since < oldest)) oldest = since;
    return oldest;
  }

  /** When the next attempt is due, but not later than the limit. */
  nextAt(limit: number): number {
    let next = limit;
    for (const { nextAt } of this.#orders.values()) next = Math.min(next, nextAt);
    return next;
  }

  get(orderId: string): FailingOrder | undefined {
    return this.#orders.get(orderId);
  }

  ids(): Iterable<string> {
    return this.#orders.keys();
  }

  set(orderId: string, failing: FailingOrder): void {
    this.delete(orderId);
    this.#orders.set(orderId, failing);
    if (failing.isOfRecipient) this.#refused += 1;
  }

  delete(orderId: string): void {
    if (this.#orders.get(orderId)?.isOfRecipient === true) this.#refused -= 1;
    this.#orders.delete(orderId);
  }

  /** Forgets those that come last, if there are too many. Returns their ids. */
  forgetLast(): string[] {
    if (this.#orders.size - this.#refused <= failingMax && this.#refused <= refusedMax) return [];
    const sorted = [...this.#orders].sort(([one], [other]) => (one < other ? -1 : 1));
    const { refused = [], failing = [] } = Object.groupBy(sorted, ([, { isOfRecipient }]) =>
      isOfRecipient ? 'refused' : 'failing',
    );
    const last = [...failing.slice(failingMax), ...refused.slice(refusedMax)].map(([id]) => id);
    for (const id of last) this.delete(id);
    return last;
  }
}
