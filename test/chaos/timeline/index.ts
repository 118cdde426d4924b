import { writeFile } from 'node:fs/promises';
import type { Findings } from '../checker/index.ts';
import { readHistory } from '../checker/index.ts';
import type { FaultEntry, PhaseEntry } from '../history.ts';
import { lanesOf } from './fault-lanes.ts';
import { formatCount, timelinePage } from './page.ts';
import { timelinePlot } from './plot.ts';
import { Seconds } from './seconds.ts';

export interface TimelineOptions {
  readonly historyFile: string;
  /** The page to write. */
  readonly file: string;
  readonly title: string;
  readonly findings: Findings;
}

/**
 * Writes a page about a run: answers and their latency by second, and the faults on the same time axis. The page is one
 * file that loads no other files.
 * @throws Error when the history cannot be read.
 */
export async function writeTimeline({ historyFile, file, title, findings }: TimelineOptions): Promise<void> {
  const seconds = new Seconds();
  const faults: FaultEntry[] = [];
  const phases: PhaseEntry[] = [];
  for await (const entry of readHistory(historyFile)) {
    if (entry.kind === 'purchase') seconds.add(entry);
    else if (entry.kind === 'fault') faults.push(entry);
    else if (entry.kind === 'phase') phases.push(entry);
  }
  const [from, to] = spanOf(seconds, faults, phases);
  const kinds = counted(faults.map(({ fault }) => fault));
  const purchases = sum(seconds.totals.values());
  const facts = [
    ['Duration', clockTime(to - from)],
    ['Requests to buy', formatCount(purchases)],
    ['Answered 201', formatCount(seconds.totals.get('confirmed') ?? 0)],
    ['Without an answer', formatCount(seconds.totals.get('unanswered') ?? 0)],
    ['Faults', formatCount(faults.length)],
    ['Kinds of faults', formatCount(kinds.size)],
  ] as const;
  const bins = (binsMax: number) => seconds.bins(binsMax);
  const alt = `Purchases per second by answer, their latency, and ${faults.length} faults, over ${clockTime(to - from)}.`;
  const plot = timelinePlot({ from, to, bins, lanes: lanesOf(faults), phases }, alt);
  await writeFile(
    file,
    await timelinePage({ title, facts, plot, answers: seconds.answers, faults: kinds, findings }),
  );
}

/** The time from the first event to the last event, but at least one second. */
function spanOf(
  seconds: Seconds,
  faults: readonly FaultEntry[],
  phases: readonly PhaseEntry[],
): readonly [number, number] {
  const times = [
    ...(seconds.range ?? []),
    ...phases.map(({ at }) => at),
    ...faults.flatMap(({ at, until = at }) => [at, until]),
  ];
  const [first = 0, last = first] = [min(times), max(times)];
  return [first, Math.max(last, first + 1_000)];
}

function min(numbers: readonly number[]): number | undefined {
  return numbers.length === 0 ? undefined : numbers.reduce((least, each) => Math.min(least, each));
}

function max(numbers: readonly number[]): number | undefined {
  return numbers.length === 0 ? undefined : numbers.reduce((most, each) => Math.max(most, each));
}

function counted(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const each of numbers) total += each;
  return total;
}

function clockTime(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
