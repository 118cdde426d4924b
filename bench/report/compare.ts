import type { BenchResults, Machine } from '../results.ts';
import { type Better, latencyLabel, meaningOf, type Unit } from './figure-names.ts';
import { formatChange, formatSpread, type Spread } from './numbers.ts';
import { makeComparable } from './older-versions.ts';
import { type Group, groupsOf, keyOf } from './summary.ts';
import { textTable } from './terminal.ts';

/** A figure that both results have. */
export interface FigureChange {
  readonly scenario: string;
  /** The contestant and its parameters, as text. */
  readonly of: string;
  readonly figure: string;
  readonly unit: Unit;
  readonly before: Spread;
  readonly after: Spread;
  /** Relative change of the medians: 0.1 is 10 % more. */
  readonly share: number;
  readonly verdict: ChangeVerdict;
}

/**
 * `noise`: the ranges of both overlap. `one round`: there is no range to compare. `changed`: the ranges differ, but
 * neither direction is better.
 */
export type ChangeVerdict = 'better' | 'worse' | 'changed' | 'noise' | 'one round' | 'the same';

export interface Comparison {
  readonly changes: readonly FigureChange[];
  readonly onlyInA: readonly string[];
  readonly onlyInB: readonly string[];
  /** Differences of machine, mode and placement, as text. */
  readonly differences: readonly string[];
}

interface Item {
  readonly scenario: string;
  readonly of: string;
  readonly figure: string;
  readonly unit: Unit;
  readonly better: Better;
  readonly spread: Spread;
}

/** Compares `b` with the older `a`. */
export function compare(a: BenchResults, b: BenchResults): Comparison {
  const [first, second] = makeComparable(a, b);
  const [before, after] = [itemsOf(first), itemsOf(second)];
  const changes = [...before].flatMap(([key, item]) => {
    const later = after.get(key);
    return later ? [changeOf(item, later)] : [];
  });
  return {
    changes,
    onlyInA: missing(before, after),
    onlyInB: missing(after, before),
    differences: differencesOf(a, b),
  };
}

/** The most figures of one result only that are listed on the terminal: a full run has hundreds. */
const onlyInMax = 12;

/** The comparison as text for the terminal. */
export function compareResults(a: BenchResults, b: BenchResults): string {
  const { changes, onlyInA, onlyInB, differences } = compare(a, b);
  const rows = changes.map((change) => [
    change.scenario,
    change.of,
    change.figure,
    formatSpread(change.before, change.unit),
    formatSpread(change.after, change.unit),
    formatChange(change.share),
    change.verdict,
  ]);
  const head = ['scenario', 'contestant', 'figure', 'A', 'B', 'change', ''];
  const table = textTable(head, rows, ['left', 'left', 'left', 'right', 'right', 'right', 'left']);
  return [
    `A: ${headline(a)}`,
    `B: ${headline(b)}`,
    '',
    changes.length > 0 ? table : 'Nothing was measured in both.',
    ...listed('Not alike', differences),
    ...listed('Only in A', onlyInA, onlyInMax),
    ...listed('Only in B', onlyInB, onlyInMax),
    '',
  ].join('\n');
}

export function headline({ startedAt, commit, mode, command }: BenchResults): string {
  const at = `${startedAt.slice(0, 16).replace('T', ' ')} UTC`;
  return [at, commit === undefined ? undefined : `commit ${commit.slice(0, 12)}`, mode, command]
    .filter((part) => part !== undefined)
    .join(' · ');
}

function listed(title: string, lines: readonly string[], max = Number.POSITIVE_INFINITY): string[] {
  if (lines.length === 0) return [];
  const more = lines.length - max;
  const rest = more > 0 ? [`… and ${more} more, which the page lists`] : [];
  return ['', `${title}:`, ...[...lines.slice(0, max), ...rest].map((line) => `  ${line}`)];
}

function changeOf(before: Item, after: Item): FigureChange {
  const { scenario, of, figure, unit, better } = before;
  const share = (after.spread.median - before.spread.median) / Math.abs(before.spread.median);
  const change = { scenario, of, figure, unit, before: before.spread, after: after.spread };
  return {
    ...change,
    share: before.spread.median === after.spread.median ? 0 : share,
    verdict: verdictOf(change, better),
  };
}

function verdictOf({ before, after }: Pick<FigureChange, 'before' | 'after'>, better: Better): ChangeVerdict {
  if (before.min === after.min && before.max === after.max && before.median === after.median)
    return 'the same';
  if (before.rounds < 2 || after.rounds < 2) return 'one round';
  if (before.min <= after.max && after.min <= before.max) return 'noise';
  if (better === 'neither') return 'changed';
  return after.median > before.median === (better === 'higher') ? 'better' : 'worse';
}

function itemsOf({ scenarios }: BenchResults): Map<string, Item> {
  const items = new Map<string, Item>();
  for (const scenario of scenarios) {
    for (const group of scenario.contestants.flatMap(groupsOf)) {
      for (const item of itemsOfGroup(scenario.name, group)) {
        const key = JSON.stringify([
          scenario.name,
          group.contestant.name,
          keyOf(group.parameters),
          item.figure,
        ]);
        items.set(key, item);
      }
    }
  }
  return items;
}

function itemsOfGroup(scenario: string, group: Group): Item[] {
  const of = group.label === '' ? group.contestant.name : `${group.contestant.name}, ${group.label}`;
  const figures = [...group.figures].map(([name, spread]) => {
    const { label, unit, better } = meaningOf(name);
    return { scenario, of, figure: label, unit, better, spread };
  });
  const latencies = [...group.latencies].flatMap(([name, { p50, p99 }]) =>
    Object.entries({ p50, p99 }).map(([percentile, spread]) => {
      const figure = `${percentile} ${latencyLabel(name)}`;
      return { scenario, of, figure, unit: 'ms', better: 'lower', spread } as const;
    }),
  );
  return [...figures, ...latencies];
}

function missing(from: ReadonlyMap<string, Item>, other: ReadonlyMap<string, Item>): string[] {
  return [...from]
    .filter(([key]) => !other.has(key))
    .map(([, { scenario, of, figure }]) => `${scenario}: ${of}: ${figure}`);
}

function differencesOf(a: BenchResults, b: BenchResults): string[] {
  const pairs: [string, string, string][] = [
    ['mode', a.mode, b.mode],
    ['counting', counting(a), counting(b)],
  ];
  for (const [name, of] of Object.entries(machineLines)) pairs.push([name, of(a.machine), of(b.machine)]);
  return pairs
    .filter(([, mine, theirs]) => mine !== theirs)
    .map(([name, mine, theirs]) => `${name}: ${mine} → ${theirs}`);
}

function counting({ version }: BenchResults): string {
  return version === 1 ? 'by the arrival of the answer' : 'by the intended send';
}

const machineLines: Readonly<Record<string, (machine: Machine) => string>> = {
  cpu: ({ cpu, cores }) => `${cpu}, ${cores} cores`,
  memory: ({ memoryGiB }) => `${memoryGiB} GiB`,
  os: ({ os }) => os,
  node: ({ node }) => node,
  servers: ({ servers }) => servers.join(', '),
  placement: ({ placement }) => placementText(placement),
};

/** `client on core 1, servers on core 0`. */
export function placementText(placement: Machine['placement']): string {
  const parts = Object.entries(placement).map(([part, cores]) => `${part}: ${cores}`);
  return parts.length === 0 ? 'not pinned' : parts.join(', ');
}
