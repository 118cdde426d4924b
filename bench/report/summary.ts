import type { Contestant, Percentiles, Run, ScenarioResult } from '../results.ts';
import { mainFigureOf, offeredParameters, parameterLabel } from './figure-names.ts';
import { formatNumber, type Spread, spreadOf } from './numbers.ts';

/** The rounds of a contestant with the same parameters. */
export interface Group {
  readonly contestant: Contestant;
  readonly parameters: Run['parameters'];
  /** The parameters as text, such as `callers 512`; empty if nothing was varied. */
  readonly label: string;
  /** The runs that passed their audit, or were not audited. */
  readonly runs: readonly Run[];
  /** The runs whose audit failed: listed in the report, but left out of medians. */
  readonly voided: readonly Run[];
  readonly figures: ReadonlyMap<string, Spread>;
  readonly latencies: ReadonlyMap<string, LatencySummary>;
  /** Cores by part: client, server, mongod. */
  readonly cpu: ReadonlyMap<string, Spread>;
  /** Cores of the servers by part of the program; empty without profiles. */
  readonly profile: ReadonlyMap<string, Spread>;
  /** Summed over `runs`. */
  readonly answers: ReadonlyMap<string, number>;
  readonly dropped: number;
  readonly errors: number;
}

/** The median over the rounds for each percentile. */
export interface LatencySummary {
  readonly count: number;
  readonly p50: Spread;
  readonly p90: Spread;
  readonly p99: Spread;
  readonly p999: Spread;
  readonly max: Spread;
  /** The curve of the round with the median p99, because medians of curves are not a curve that occurred. */
  readonly curve: Percentiles['curve'];
}

/** The groups of a contestant in the order of their first runs. */
export function groupsOf(contestant: Contestant): Group[] {
  const byKey = new Map<string, Run[]>();
  for (const run of contestant.runs) {
    const key = keyOf(run.parameters);
    const runs = byKey.get(key);
    if (runs) runs.push(run);
    else byKey.set(key, [run]);
  }
  return [...byKey.values()].map((runs) => summarize(contestant, runs));
}

export function groupsOfAll(scenario: ScenarioResult): Group[] {
  return scenario.contestants.flatMap(groupsOf);
}

/**
 * Identifies runs that can be compared. An offered rate that follows from the ceiling of its round differs between
 * rounds: if a text names it (`{ load: 'half the ceiling', offered: 2412 }`), the text counts and the rate does not.
 */
export function keyOf(parameters: Run['parameters']): string {
  return JSON.stringify(distinguishing(parameters).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

export function labelOf(parameters: Run['parameters']): string {
  return distinguishing(parameters)
    .map(([name, value]) => {
      return typeof value === 'number'
        ? `${parameterLabel(name)} ${formatNumber(value)}`
        : `${parameterLabel(name)}: ${value}`;
    })
    .join(', ');
}

function distinguishing(parameters: Run['parameters']): [string, number | string][] {
  const all = Object.entries(parameters);
  if (!all.some(([, value]) => typeof value === 'string')) return all;
  return all.filter(([name, value]) => typeof value === 'string' || !offeredParameters.includes(name));
}

/** The figure that a scenario is about; undefined without one. */
export function mainFigure({ name }: ScenarioResult, groups: readonly Group[]): string | undefined {
  return mainFigureOf(name, new Set(groups.flatMap(({ figures }) => [...figures.keys()])));
}

/** Whether the rate was given. These runs do not measure a ceiling. */
export function isOpenLoop({ parameters }: Group): boolean {
  return offeredParameters.some((name) => name in parameters);
}

/** The group with the contestant's highest median, preferring closed loops, which measure the ceiling. */
export function bestOf(groups: readonly Group[], figure: string): Group | undefined {
  const closed = groups.filter((group) => !isOpenLoop(group));
  return (closed.length > 0 ? closed : groups)
    .filter(({ figures }) => figures.has(figure))
    .toSorted((a, b) => median(b, figure) - median(a, figure))[0];
}

/**
 * The latencies without the time to any answer if it equals another one, because all answers were outcomes or refusals.
 */
export function distinctLatencies({ latencies }: Group): [string, LatencySummary][] {
  const isSaid = ['outcome', 'refusal'].some(
    (name) => latencies.get(name)?.count === latencies.get('answer')?.count,
  );
  return [...latencies].filter(([name]) => name !== 'answer' || !isSaid);
}

export function median(group: Group, figure: string): number {
  return group.figures.get(figure)?.median ?? Number.NaN;
}

function summarize(contestant: Contestant, all: readonly Run[]): Group {
  const runs = all.filter(({ audit }) => audit.verdict !== 'void');
  const parameters = all[0]?.parameters ?? {};
  return {
    contestant,
    parameters,
    label: labelOf(parameters),
    runs,
    voided: all.filter(({ audit }) => audit.verdict === 'void'),
    figures: spreads(runs.map(({ figures }) => figures)),
    latencies: latenciesOf(runs),
    cpu: spreads(runs.map(({ cpu }) => cpu)),
    profile: spreads(runs.flatMap(({ profile }) => (profile === undefined ? [] : [profile]))),
    answers: totals(runs.map(({ answers }) => answers)),
    dropped: sum(runs.map(({ dropped }) => dropped)),
    errors: sum(runs.map(({ errors }) => errors)),
  };
}

function spreads(records: readonly Readonly<Record<string, number>>[]): Map<string, Spread> {
  return new Map([...collect(records)].map(([name, values]) => [name, spreadOf(values)]));
}

function totals(records: readonly Readonly<Record<string, number>>[]): Map<string, number> {
  return new Map([...collect(records)].map(([name, values]) => [name, sum(values)]));
}

function collect<T>(records: readonly Readonly<Record<string, T>>[]): Map<string, T[]> {
  const all = new Map<string, T[]>();
  for (const record of records) {
    for (const [name, value] of Object.entries(record)) all.set(name, [...(all.get(name) ?? []), value]);
  }
  return all;
}

/** Leaves out latencies without a count, which would look like 0 ms. */
function latenciesOf(runs: readonly Run[]): Map<string, LatencySummary> {
  const summaries = new Map<string, LatencySummary>();
  for (const [name, all] of collect(runs.map(({ latencies }) => latencies))) {
    const counted = all.filter(({ count }) => count > 0);
    if (counted.length > 0) summaries.set(name, summarizeLatency(counted));
  }
  return summaries;
}

function summarizeLatency(all: readonly Percentiles[]): LatencySummary {
  const over = (pick: (percentiles: Percentiles) => number) => spreadOf(all.map(pick));
  const byP99 = all.toSorted((a, b) => a.p99 - b.p99);
  return {
    count: sum(all.map(({ count }) => count)),
    p50: over(({ p50 }) => p50),
    p90: over(({ p90 }) => p90),
    p99: over(({ p99 }) => p99),
    p999: over(({ p999 }) => p999),
    max: over(({ max }) => max),
    curve: byP99[(byP99.length - 1) >> 1]?.curve ?? [],
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
