/** The result of checking a run. */
export interface Findings {
  /**
   * The violations, at most {@link violationsPerRule} for each rule. The figures contain the total, as `violations Q5`.
   */
  readonly violations: readonly Violation[];
  /** Counts of checked items. Low counts show that a run proves little. */
  readonly figures: Readonly<Record<string, number>>;
}

export interface Violation {
  /** The broken rule: `Q1` to `Q12` of the domain's SPEC.md, `API` for an undocumented answer, or an operator's action. */
  readonly rule: string;
  readonly words: string;
}

/**
 * The most violations that are listed for each rule. A bug breaks its rule thousands of times, and the first violations
 * are enough to find the bug.
 */
const violationsPerRule = 20;

/** Collects violations and counts. */
export class FindingsCollector {
  readonly #notPromised: ReadonlySet<string>;
  readonly #violations: Violation[] = [];
  readonly #counts = new Map<string, number>();
  readonly #figures = new Map<string, number>();

  /** @param notPromised rules whose violations are not reported */
  constructor(notPromised: readonly string[] = []) {
    this.#notPromised = new Set(notPromised);
  }

  violation(rule: string, words: string): void {
    if (this.#notPromised.has(rule)) return;
    const count = (this.#counts.get(rule) ?? 0) + 1;
    this.#counts.set(rule, count);
    if (count <= violationsPerRule) this.#violations.push({ rule, words });
  }

  count(figure: string, by = 1): void {
    this.#figures.set(figure, (this.#figures.get(figure) ?? 0) + by);
  }

  findings(): Findings {
    const byName = (a: { rule: string }, b: { rule: string }) =>
      a.rule.localeCompare(b.rule, 'en', { numeric: true });
    const figures = [...this.#figures].sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }));
    const counts = [...this.#counts].map(([rule, count]) => [`violations ${rule}`, count] as const);
    return {
      violations: this.#violations.toSorted(byName),
      figures: Object.fromEntries([...figures, ...counts]),
    };
  }
}
