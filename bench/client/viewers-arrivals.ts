/**
 * When each change was first seen by each viewer. Changes are numbered from 1 in the order in which they were made;
 * a viewer that sees change 7 without having seen 6 sees both then.
 */
export class Arrivals {
  readonly #viewers: number;
  /** One row per change: the time for each viewer, 0 while it has not seen it. */
  readonly #rows: Float64Array[] = [];
  /** The last change that each viewer has seen. */
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

  /** How long each viewer took to see each change, given when the changes were made; in ms. */
  *delays(madeAt: readonly number[]): Iterable<number> {
    for (const [index, made] of madeAt.entries()) {
      for (const at of this.#rows[index] ?? []) if (at > 0) yield at - made;
    }
  }

  /** How many of these changes, times viewers, were never seen. */
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
