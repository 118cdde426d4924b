interface Waiter {
  readonly number: number;
  readonly orderId: string;
}

/**
 * The line of a package: orders by number. Numbers only grow, so it is an array with a head; those who leave from
 * the middle stay as gaps until there are enough of them to be worth a sweep. Adding and leaving cost O(1) over
 * time, a place O(log n).
 */
export class WaitingQueue implements Iterable<Waiter> {
  #waiters: Waiter[] = [];
  #head = 0;
  /** Numbers of those who left from behind the head, ascending. */
  #gaps: number[] = [];

  get size(): number {
    return this.#waiters.length - this.#head - this.#gaps.length;
  }

  /** @throws RangeError unless the number is greater than any before. */
  add(number: number, orderId: string): void {
    const last = this.#waiters.at(-1);
    if (last !== undefined && last.number >= number) throw new RangeError('numbers in the line only grow');
    this.#waiters.push({ number, orderId });
  }

  /** Does nothing for a number that is not in the line. */
  remove(number: number): void {
    const index = lowerBound(this.#waiters, number, this.#head);
    if (this.#waiters[index]?.number !== number) return;
    const gap = gapIndex(this.#gaps, number);
    if (this.#gaps[gap] === number) return;
    this.#gaps.splice(gap, 0, number);
    this.#skipGaps();
    if (this.#gaps.length > 64 + (this.#waiters.length - this.#head) / 16) this.#sweep();
    if (this.#head > 1024 && this.#head * 2 > this.#waiters.length) this.#sweep();
  }

  /** How many stand before this number, plus one; undefined when it is not in the line. */
  position(number: number): number | undefined {
    const index = lowerBound(this.#waiters, number, this.#head);
    const gap = gapIndex(this.#gaps, number);
    if (this.#waiters[index]?.number !== number || this.#gaps[gap] === number) return undefined;
    return index - this.#head - gap + 1;
  }

  /** The first `max` numbers. */
  first(max: number): number[] {
    const numbers: number[] = [];
    for (const { number } of this) {
      if (numbers.length >= max) break;
      numbers.push(number);
    }
    return numbers;
  }

  *[Symbol.iterator](): Iterator<Waiter> {
    let gap = 0;
    for (let index = this.#head; index < this.#waiters.length; index++) {
      const waiter = this.#waiters[index] as Waiter;
      if (this.#gaps[gap] === waiter.number) gap++;
      else yield waiter;
    }
  }

  #skipGaps(): void {
    let passed = 0;
    while (passed < this.#gaps.length && this.#waiters[this.#head]?.number === this.#gaps[passed]) {
      this.#head++;
      passed++;
    }
    if (passed > 0) this.#gaps.splice(0, passed);
  }

  #sweep(): void {
    this.#waiters = [...this];
    this.#head = 0;
    this.#gaps = [];
  }
}

/** The first index from `from` on whose waiter's number is not below. */
function lowerBound(waiters: readonly Waiter[], number: number, from: number): number {
  return search(from, waiters.length, (index) => (waiters[index] as Waiter).number < number);
}

function gapIndex(gaps: readonly number[], number: number): number {
  return search(0, gaps.length, (index) => (gaps[index] as number) < number);
}

/** The first index in [low, high) that is not below, where all that are below come first. */
function search(low: number, high: number, isBelow: (index: number) => boolean): number {
  let [from, to] = [low, high];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (isBelow(middle)) from = middle + 1;
    else to = middle;
  }
  return from;
}
