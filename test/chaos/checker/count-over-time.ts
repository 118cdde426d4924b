/** A count that rises and falls over time. The order of changes within one millisecond is unknown. */
export class CountOverTime {
  readonly #changes: { readonly at: number; readonly by: number }[] = [];
  #times: number[] | undefined;
  #values: number[] = [];
  /** The maximum of all values up to each index. */
  #peaks: number[] = [];

  add(at: number | undefined, by: number): void {
    if (at !== undefined && by !== 0) this.#changes.push({ at, by });
    this.#times = undefined;
  }

  /**
   * The highest possible value in the interval, both ends included. Assumes that within one millisecond the rises come
   * first.
   */
  most(from: number, to: number): number {
    const times = this.#sorted();
    if (from === Number.NEGATIVE_INFINITY)
      return Math.max(0, this.#peaks[indexOf(times, (at) => at > to) - 1] ?? 0);
    // The value before the first change inside the interval.
    let index = indexOf(times, (at) => at >= from);
    let most = index === 0 ? 0 : (this.#values[index - 1] as number);
    for (; index < times.length && (times[index] as number) <= to; index++) {
      most = Math.max(most, this.#values[index] as number);
    }
    return most;
  }

  /** The highest value that was certainly reached. Assumes that within one millisecond the falls come first. */
  peak(): { readonly value: number; readonly at: number } {
    let [value, peak] = [0, { value: 0, at: 0 }];
    for (const { at, by } of this.#changes.toSorted((a, b) => a.at - b.at || a.by - b.by)) {
      value += by;
      if (value > peak.value) peak = { value, at };
    }
    return peak;
  }

  #sorted(): readonly number[] {
    if (this.#times !== undefined) return this.#times;
    const changes = this.#changes.toSorted((a, b) => a.at - b.at || b.by - a.by);
    let value = 0;
    this.#values = changes.map(({ by }) => {
      value += by;
      return value;
    });
    let peak = Number.NEGATIVE_INFINITY;
    this.#peaks = this.#values.map((each) => {
      peak = Math.max(peak, each);
      return peak;
    });
    this.#times = changes.map(({ at }) => at);
    return this.#times;
  }
}

/** The first index at which the condition is true. The condition must be true at all later indexes. */
function indexOf(times: readonly number[], isBehind: (at: number) => boolean): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBehind(times[middle] as number)) high = middle;
    else low = middle + 1;
  }
  return low;
}
