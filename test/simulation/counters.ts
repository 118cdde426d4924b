/** Counts faults and outcomes. A fault that never occurs is not tested. */
export class Counters {
  readonly #counts = new Map<string, number>();

  count(what: string, by = 1): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + by);
  }

  of(what: string): number {
    return this.#counts.get(what) ?? 0;
  }

  add(others: Readonly<Record<string, number>>): void {
    for (const [what, by] of Object.entries(others)) this.count(what, by);
  }

  toJSON(): Record<string, number> {
    return Object.fromEntries([...this.#counts].sort(([one], [other]) => (one < other ? -1 : 1)));
  }
}
