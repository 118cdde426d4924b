/** A count that goes up and down over time. Within one millisecond nobody knows what came first. */
export class Level {
  readonly #changes: { readonly at: number; readonly by: number }[] = [];
  #times: number[] | undefined;
  #values: number[] = [];
  /** The greatest of the values up to each. */
  #peaks: number[] = [];

  add(at: number | undefined, by: number): void {
    if (at !== undefined && by !== 0) this.#changes.push({ at, by });
    this.#times = undefined;
  }

  /** The greatest it can have been within these times, both included: of changes at one time, those up come first. */
  most(from: number, to: number): number {
    const times = this.#sorted();
    if (from === Number.NEGATIVE_INFINITY)
      return Math.max(0, this.#peaks[indexOf(times, (at) => at > to) - 1] ?? 0);
    // What it was when the time began: before the first change that is inside.
    let index = indexOf(times, (at) => at >= from);
    let most = index === 0 ? 0 : (this.#values[index - 1] as number);
    for (; index < times.length && (times[index] as number) <= to; index++) {
      most = Math.max(most, this.#values[index] as number);
    }
    return most;
  }

  /** The greatest it must have been, at any time: of changes at one time, those down come first. */
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

/** The first index of which it is true, as it is of all behind it. */
function indexOf(times: readonly number[], isBehind: (at: number) => boolean): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBehind(times[middle] as number)) high = middle;
    else low = middle + 1;
  }
  return low;
}
