/**
 * Ascending whole numbers as runs without a gap: the first and the last number of each run, one after the other.
 * `[3, 5, 9, 9]` stands for 3, 4, 5 and 9. The size depends on the number of gaps, not on the number of numbers.
 */
export type NumberRuns = readonly number[];

/** @param numbers ascending */
export function runsOf(numbers: Iterable<number>): NumberRuns {
  const runs: number[] = [];
  for (const number of numbers) {
    if (number - 1 === runs.at(-1)) runs[runs.length - 1] = number;
    else runs.push(number, number);
  }
  return runs;
}

/** The positions of ascending numbers, from 1. Finding one costs O(log n) of the number of runs. */
export class Positions {
  readonly #runs: NumberRuns;
  /** By run, the position of its first number. */
  readonly #from: number[] = [];
  readonly #size: number;

  constructor(runs: NumberRuns) {
    this.#runs = runs;
    let next = 1;
    for (let index = 0; index < runs.length; index += 2) {
      this.#from.push(next);
      next += this.#at(index + 1) - this.#at(index) + 1;
    }
    this.#size = next - 1;
  }

  /** The position of a number; undefined if it is not among the numbers. */
  of(number: number): number | undefined {
    const run = this.#runOf(number);
    const from = this.#from[run];
    const first = this.#at(2 * run);
    return from === undefined || first > number ? undefined : from + number - first;
  }

  /** How many of the numbers are lower than this one, which need not be among them. */
  below(number: number): number {
    const run = this.#runOf(number);
    const from = this.#from[run];
    return from === undefined ? this.#size : from - 1 + Math.max(0, number - this.#at(2 * run));
  }

  /** The first run that does not end before a number. */
  #runOf(number: number): number {
    let [low, high] = [0, this.#from.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#at(2 * middle + 1) < number) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #at(index: number): number {
    return this.#runs[index] as number;
  }
}
