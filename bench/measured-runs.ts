import { spreadOf } from './report/numbers.ts';
import type { Contestant, Run, ScenarioResult } from './results.ts';

/** The size from which on a run counts for a goal. */
export interface RunSize {
  readonly parameter: string;
  readonly atLeast: number;
  /**
   * Whether all runs of a contestant count once its largest one is large enough, because the goal compares a range.
   * Otherwise only the large runs count.
   */
  readonly isRange?: boolean;
  /** Whether runs without the parameter count as large enough. */
  readonly isUsual?: boolean;
}

/** Runs that are not void, with the aggregates that goals need. */
export class MeasuredRuns {
  readonly #results: readonly ScenarioResult[];

  constructor(results: readonly ScenarioResult[]) {
    this.#results = results;
  }

  /** The same without the runs of this scenario that are too small. */
  atSize(scenario: string, { parameter, atLeast, isRange = false, isUsual = false }: RunSize): MeasuredRuns {
    const isLarge = ({ parameters }: Run) =>
      parameters[parameter] === undefined ? isUsual : Number(parameters[parameter]) >= atLeast;
    const large = (runs: readonly Run[]) => {
      if (!isRange) return runs.filter(isLarge);
      return counted(runs).some(isLarge) ? runs : [];
    };
    return new MeasuredRuns(
      this.#results.map((result) => ({
        ...result,
        contestants:
          result.name === scenario
            ? result.contestants.map((contestant) => ({ ...contestant, runs: large(contestant.runs) }))
            : result.contestants,
      })),
    );
  }

  /** The largest value of a parameter in our runs; undefined without one. */
  largest(scenario: string, parameter: string): number | undefined {
    const ours = this.#contestants(scenario).filter(({ isOurs }) => isOurs);
    const values = ours.flatMap(({ runs }) => counted(runs).map(({ parameters }) => parameters[parameter]));
    return greatest(values.map((value) => (value === undefined ? undefined : Number(value))));
  }

  /** Purchases finished per second, with the number of callers at which there were most. */
  best(scenario: string, name: string): number | undefined {
    return greatest(this.byParameter(scenario, name, 'callers', (run) => run.figures.finished));
  }

  /** The CPU time per purchase in µs, with the number of callers at which it was least. */
  cheapest(scenario: string, name: string): number | undefined {
    return least(this.byParameter(scenario, name, 'callers', (run) => run.figures.costPerPurchaseUs));
  }

  /** The median over the rounds of a contestant. */
  median(
    scenario: string,
    name: string,
    value: (run: Run) => number | undefined,
    isMeant: (run: Run) => boolean = () => true,
  ): number | undefined {
    return median(this.#runs(scenario, name).filter(isMeant).map(value));
  }

  /**
   * The highest or lowest value of our contestants. Each value is the median over the rounds with the same parameters.
   */
  worst(
    scenario: string,
    value: (run: Run) => number | undefined,
    which: 'highest' | 'lowest',
    isMeant: (run: Run) => boolean = () => true,
  ): number | undefined {
    const medians = this.#contestants(scenario)
      .filter(({ isOurs }) => isOurs)
      .flatMap(({ runs }) =>
        groups(counted(runs).filter(isMeant), ({ parameters }) => JSON.stringify(parameters)),
      )
      .map((runs) => median(runs.map(value)));
    return which === 'highest' ? greatest(medians) : least(medians);
  }

  /** The number of our runs in which the audit found a broken rule; undefined when no run was audited. */
  foundIn(scenario: string, rule: string): number | undefined {
    const ours = this.#contestants(scenario).filter(({ isOurs }) => isOurs);
    const audited = ours.flatMap(({ runs }) => runs).filter(({ audit }) => audit.verdict !== 'none');
    if (audited.length === 0) return undefined;
    return audited.filter(({ audit }) => audit.verdict === 'void' && audit.detail.includes(rule)).length;
  }

  /** The medians in ascending order of a parameter, without the runs that do not have it. */
  byParameter(
    scenario: string,
    name: string,
    parameter: string,
    value: (run: Run) => number | undefined,
  ): (number | undefined)[] {
    const runs = this.#runs(scenario, name).filter(({ parameters }) => parameters[parameter] !== undefined);
    const rising = runs.toSorted((a, b) => Number(a.parameters[parameter]) - Number(b.parameters[parameter]));
    return groups(rising, (run) => String(run.parameters[parameter])).map((group) =>
      median(group.map(value)),
    );
  }

  #runs(scenario: string, name: string): Run[] {
    const contestant = this.#contestants(scenario).find((each) => each.name === name);
    return counted(contestant?.runs ?? []);
  }

  #contestants(scenario: string): readonly Contestant[] {
    return this.#results.find(({ name }) => name === scenario)?.contestants ?? [];
  }
}

function counted(runs: readonly Run[]): Run[] {
  return runs.filter(({ audit }) => audit.verdict !== 'void');
}

function groups(runs: readonly Run[], keyOf: (run: Run) => string): Run[][] {
  return [...Map.groupBy(runs, keyOf).values()];
}

function known(values: readonly (number | undefined)[]): number[] {
  return values.filter((value): value is number => value !== undefined && Number.isFinite(value));
}

function median(values: readonly (number | undefined)[]): number | undefined {
  const found = known(values);
  return found.length === 0 ? undefined : spreadOf(found).median;
}

export function greatest(values: readonly (number | undefined)[]): number | undefined {
  const found = known(values);
  return found.length === 0 ? undefined : Math.max(...found);
}

export function least(values: readonly (number | undefined)[]): number | undefined {
  const found = known(values);
  return found.length === 0 ? undefined : Math.min(...found);
}

/** @returns undefined if one of the values is. */
export function ratio(value: number | undefined, to: number | undefined): number | undefined {
  return value === undefined || to === undefined || to === 0 ? undefined : value / to;
}
