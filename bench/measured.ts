import { spreadOf } from './report/numbers.ts';
import type { Contestant, Run, ScenarioResult } from './results.ts';

/** Which runs are large enough for a goal. */
export interface RunSize {
  readonly parameter: string;
  readonly atLeast: number;
  /** All runs of a contestant that gets so far count, as a range is compared; otherwise only those that large. */
  readonly isRange?: boolean;
  /** Runs without the parameter are that large. */
  readonly isUsual?: boolean;
}

/** What was measured, void runs left out. */
export class Measured {
  readonly #results: readonly ScenarioResult[];

  constructor(results: readonly ScenarioResult[]) {
    this.#results = results;
  }

  /** The same with those runs of the scenario alone that are large enough. */
  atSize(scenario: string, { parameter, atLeast, isRange = false, isUsual = false }: RunSize): Measured {
    const isLarge = ({ parameters }: Run) =>
      parameters[parameter] === undefined ? isUsual : Number(parameters[parameter]) >= atLeast;
    const large = (runs: readonly Run[]) => {
      if (!isRange) return runs.filter(isLarge);
      return counted(runs).some(isLarge) ? runs : [];
    };
    return new Measured(
      this.#results.map((result) => ({
        ...result,
        contestants:
          result.name === scenario
            ? result.contestants.map((contestant) => ({ ...contestant, runs: large(contestant.runs) }))
            : result.contestants,
      })),
    );
  }

  /** The largest value of a parameter that we ran with; undefined where we never did. */
  largest(scenario: string, parameter: string): number | undefined {
    const ours = this.#contestants(scenario).filter(({ isOurs }) => isOurs);
    const values = ours.flatMap(({ runs }) => counted(runs).map(({ parameters }) => parameters[parameter]));
    return greatest(values.map((value) => (value === undefined ? undefined : Number(value))));
  }

  /** Purchases finished per second at a ceiling, by the callers with whom there were most. */
  best(scenario: string, name: string): number | undefined {
    return greatest(this.byParameter(scenario, name, 'callers', (run) => run.figures.finished));
  }

  /** Over the rounds of a contestant. */
  median(
    scenario: string,
    name: string,
    value: (run: Run) => number | undefined,
    isMeant: (run: Run) => boolean = () => true,
  ): number | undefined {
    return median(this.#runs(scenario, name).filter(isMeant).map(value));
  }

  /** Of all that we have in a scenario, each by its median over the rounds with the same parameters. */
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

  /** How many of our runs the audit found to break a rule; undefined where none was audited. */
  foundIn(scenario: string, rule: string): number | undefined {
    const ours = this.#contestants(scenario).filter(({ isOurs }) => isOurs);
    const audited = ours.flatMap(({ runs }) => runs).filter(({ audit }) => audit.verdict !== 'none');
    if (audited.length === 0) return undefined;
    return audited.filter(({ audit }) => audit.verdict === 'void' && audit.detail.includes(rule)).length;
  }

  /** The medians by the rising values of a parameter; runs without it are left out. */
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

/** Undefined where one of them is. */
export function ratio(value: number | undefined, to: number | undefined): number | undefined {
  return value === undefined || to === undefined || to === 0 ? undefined : value / to;
}
