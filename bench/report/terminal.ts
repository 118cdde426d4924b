import { countOf, isError } from '../client/outcomes.ts';
import type { ScenarioResult } from '../results.ts';
import { latencyLabel, meaningOf } from './figure-names.ts';
import { formatNumber, formatRange, formatValue } from './numbers.ts';
import { distinctLatencies, type Group, groupsOfAll } from './summary.ts';

/** A scenario's results as a text table: one row for each figure and each latency. */
export function renderTable(scenario: ScenarioResult): string {
  const rows = groupsOfAll(scenario).flatMap(rowsOf);
  const table = textTable(['', 'of', 'median', 'min–max', 'p50', 'p90', 'p99', 'p99.9', 'rounds'], rows, [
    'left',
    'left',
    'right',
    'right',
    'right',
    'right',
    'right',
    'right',
    'left',
  ]);
  const notes = scenario.notes.map((note) => `  ${note}`);
  return [scenario.title, '', table, ...(notes.length > 0 ? ['', ...notes] : []), ''].join('\n');
}

function rowsOf(group: Group): string[][] {
  const name = group.label === '' ? group.contestant.title : `${group.contestant.title}, ${group.label}`;
  const figures = [...group.figures].map(([figure, spread]) => {
    const { label, unit } = meaningOf(figure);
    return [label, formatValue(spread.median, unit), formatRange(spread, unit), '', '', '', ''];
  });
  const latencies = distinctLatencies(group).map(([latency, { p50, p90, p99, p999 }]) => {
    const percentiles = [p50, p90, p99, p999].map(({ median }) => formatNumber(median));
    return [`ms ${latencyLabel(latency)}`, '', '', ...percentiles];
  });
  const rows = [...figures, ...latencies];
  if (rows.length === 0) rows.push(['', '', '', '', '', '', '']);
  return rows.map((cells, index) => [
    index === 0 ? name : '',
    ...cells,
    index === 0 ? [roundsOf(group), lossesOf(group)].filter((part) => part !== '').join(', ') : '',
  ]);
}

/** Numbers of rounds by audit verdict: `5 clean`, `4 clean, 1 void`. */
export function roundsOf({ runs, voided }: Group): string {
  const clean = runs.filter(({ audit }) => audit.verdict === 'clean').length;
  const parts = [
    [clean, 'clean'],
    [runs.length - clean, 'not audited'],
    [voided.length, 'void'],
  ] as const;
  return counts(parts) || 'none';
}

/** `3 not sent in time, 1 error (0.012 %)`; empty without losses. Error answers such as 503 and 429 count as errors. */
export function lossesOf({ dropped, errors: failed, answers }: Group): string {
  const counted = Object.fromEntries(answers);
  const errors = failed + countOf(counted, isError);
  const share = formatValue(errors / (countOf(counted, () => true) + failed + dropped), 'share');
  return counts([
    [dropped, 'not sent in time'],
    [errors, `${errors === 1 ? 'error' : 'errors'} (${share})`],
  ]);
}

function counts(parts: readonly (readonly [number, string])[]): string {
  return parts.flatMap(([count, what]) => (count > 0 ? [`${formatNumber(count)} ${what}`] : [])).join(', ');
}

/** Aligns columns for a terminal, two spaces apart. */
export function textTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  alignments: readonly ('left' | 'right')[] = [],
): string {
  const widths = head.map((cell, column) => {
    return Math.max(cell.length, ...rows.map((row) => row[column]?.length ?? 0));
  });
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return alignments[column] === 'right' ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd();
  return [line(head), line(widths.map((width) => '─'.repeat(width))), ...rows.map(line)].join('\n');
}
