/**
 * Records when each viewer first saw each change. Changes are numbered from 1 in order; a viewer that sees change 7
 * before 6 has seen both.
 */
export class Arrivals {
  readonly #viewers: number;
  /** One row per change: the arrival time at each viewer, or 0. */
  readonly #rows: Float64Array[] = [];
  /** The latest change that each viewer has seen. */
  readonly #seen: Uint32Array;

  constructor(viewers: number) {
    this.#viewers = viewers;
    this.#seen = new Uint32Array(viewers);
  }

  see(viewer: number, change: number, at: number): void {
    const seen = this.#seen[viewer] as number;
    if (change <= seen) return;
    for (let one = seen; one < change; one++) this.#row(one)[viewer] = at;
    this.#seen[viewer] = change;
  }

  /**
   * The delay of each change at each viewer in ms.
   * @param madeAt when each change was made.
   */
  *delays(madeAt: readonly number[]): Iterable<number> {
    for (const [index, made] of madeAt.entries()) {
      for (const at of this.#rows[index] ?? []) if (at > 0) yield at - made;
    }
  }

  /** The number of pairs of a change and a viewer that did not see it. */
  unseen(changes: number): number {
    return this.#seen.reduce((sum, seen) => sum + Math.max(0, changes - seen), 0);
  }

  #row(index: number): Float64Array {
    let row = this.#rows[index];
    if (row === undefined) {
      row = new Float64Array(this.#viewers);
      this.#rows[index] = row;
    }
    return row;
  }
}
