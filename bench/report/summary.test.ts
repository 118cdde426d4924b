import { expect, it } from 'vitest';
import { meaningOf } from './figure-names.ts';
import { latencyOf, resultsOf, runOf } from './fixture.ts';
import {
  formatBytes,
  formatChange,
  formatDuration,
  formatNumber,
  formatSpread,
  spreadOf,
} from './numbers.ts';
import { speedUpsOf } from './plots/speed-up.ts';
import { groupsOf } from './summary.ts';
import { renderTable } from './terminal.ts';

it('takes the median of an odd and of an even number of rounds', () => {
  expect(spreadOf([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3, rounds: 3 });
  expect(spreadOf([4, 1, 2, 3])).toEqual({ median: 2.5, min: 1, max: 4, rounds: 4 });
  expect(() => spreadOf([])).toThrow('no values');
});

it('groups runs by their parameters in any order, and leaves out latencies without a count', () => {
  const outcome = { ...latencyOf(1), count: 0 };
  const runs = [
    runOf({ parameters: { callers: 64, keys: 'with' }, latencies: { outcome } }),
    runOf({ parameters: { keys: 'with', callers: 64 }, round: 2, latencies: { outcome: latencyOf(5) } }),
    runOf({ parameters: { callers: 512, keys: 'with' } }),
  ];
  const groups = groupsOf({ name: 'a', title: 'A', isOurs: true, runs });
  expect(groups.map(({ label, runs: { length } }) => [label, length])).toEqual([
    ['callers 64, idempotency keys: with', 2],
    ['callers 512, idempotency keys: with', 1],
  ]);
  expect(groups[0]?.latencies.get('outcome')?.p50.rounds).toBe(1);
});

it('compares each contestant of ours with each foreign one at their best, round by round', () => {
  const contestant = (
    name: string,
    isOurs: boolean,
    rates: readonly (readonly [callers: number, finished: number])[],
  ) => ({
    name,
    title: name,
    isOurs,
    runs: rates.map(([callers, finished], index) =>
      runOf({ round: index >> 1, parameters: { callers }, figures: { finished } }),
    ),
  });
  const ours = contestant('ours', true, [
    [64, 10],
    [512, 100],
    [64, 11],
    [512, 120],
  ]);
  const other = contestant('other', false, [
    [64, 10],
    [512, 5],
    [64, 20],
    [512, 6],
  ]);
  const [speedUp, ...rest] = speedUpsOf({
    name: 'hot-package',
    title: '',
    what: '',
    notes: [],
    contestants: [other, ours],
  });
  expect(rest).toEqual([]);
  expect(speedUp?.ours.label).toBe('callers 512');
  expect(speedUp?.other.label).toBe('callers 64');
  expect(speedUp?.ratio.median).toBeCloseTo(110 / 15);
  expect([speedUp?.ratio.min, speedUp?.ratio.max]).toEqual([6, 10]);
});

it('formats numbers with three significant digits and separators', () => {
  expect([0, 0.6, 0.048, 4.271, 31.49, 169.4, 13_642.2, Number.NaN].map(formatNumber)).toEqual([
    '0',
    '0.60',
    '0.048',
    '4.27',
    '31.5',
    '169',
    '13,642',
    '–',
  ]);
  expect([900, 13_900, 97e6, 2.5e9].map(formatBytes)).toEqual(['900 B', '13.9 KB', '97 MB', '2.50 GB']);
  expect([0.042, -0.12, 0, 3].map(formatChange)).toEqual(['+4.2 %', '−12 %', '±0 %', '+300 %']);
  expect([95, 120, 1512].map(formatDuration)).toEqual(['95 s', '2 min', '25 min 12 s']);
  expect(formatSpread(spreadOf([140e6, 150e6, 160e6]), 'bytes')).toBe('150 MB (140–160)');
});

it('derives the unit of an unknown measure from the last word of its name', () => {
  expect(meaningOf('drainMs')).toEqual({ label: 'drain', unit: 'ms', better: 'lower' });
  expect(meaningOf('peakRssBytes')).toEqual({ label: 'peak RSS', unit: 'bytes', better: 'lower' });
  expect(meaningOf('foundPerSecond')).toEqual({ label: 'found', unit: '/s', better: 'higher' });
  expect(meaningOf('something')).toEqual({ label: 'something', unit: '', better: 'neither' });
});

it("prints a scenario's table with void rounds and losses", () => {
  const [scenario] = resultsOf().scenarios;
  const table = renderTable(scenario!);
  expect(table).toContain('ticket-booking on MongoDB, callers 512');
  expect(table).toMatch(/purchases finished +6,480 \/s +6,221–6,674/);
  expect(table).toContain('4 clean, 1 void');
  expect(table).toContain('5 clean, 3 not sent in time');
  expect(table).not.toContain('9,999');
});
