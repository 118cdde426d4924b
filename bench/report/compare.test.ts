import { describe, expect, it } from 'vitest';
import type { BenchResults, Run } from '../results.ts';
import { compare, compareResults } from './compare.ts';
import { renderComparison } from './comparison-page.ts';
import { latencyOf, resultsOf, runOf } from './fixture.ts';

function resultsWith(
  figures: Readonly<Record<string, readonly number[]>>,
  more: Partial<Run> = {},
): BenchResults {
  const rounds = Math.max(...Object.values(figures).map(({ length }) => length));
  const runs = Array.from({ length: rounds }, (_, index) =>
    runOf({
      round: index + 1,
      figures: Object.fromEntries(
        Object.entries(figures).map(([name, values]) => [name, values[index] ?? 0]),
      ),
      ...more,
    }),
  );
  const contestants = [{ name: 'actor-mongodb', title: 'ours', isOurs: true, runs }];
  return resultsOf({
    scenarios: [{ name: 'hot-package', title: 'Hot', what: '', contestants, notes: [] }],
    goals: [],
  });
}

describe('compareResults', () => {
  it.each([
    ['better', 'finished', [100, 110, 105], [200, 220, 210], 1],
    ['worse', 'finished', [200, 220, 210], [100, 110, 105], -0.5],
    ['better', 'readyMs', [200, 220, 210], [100, 110, 105], -0.5],
    ['noise', 'finished', [100, 110, 105], [106, 120, 115], 10 / 105],
    ['one round', 'finished', [100], [200], 1],
    ['changed', 'somethingElse', [1, 2], [3, 4], 4 / 3],
    ['the same', 'finished', [5, 6], [5, 6], 0],
  ] as const)('says %s of %s from %j to %j', (verdict, figure, before, after, share) => {
    const { changes } = compare(resultsWith({ [figure]: before }), resultsWith({ [figure]: after }));
    expect(changes).toHaveLength(1);
    expect(changes[0]?.verdict).toBe(verdict);
    expect(changes[0]?.share).toBeCloseTo(share);
  });

  it('compares p50 and p99 of latencies, without void runs', () => {
    const before = resultsWith({ finished: [10] }, { latencies: { outcome: latencyOf(10) } });
    const after = resultsWith({ finished: [10] }, { latencies: { outcome: latencyOf(20) } });
    const { changes } = compare(before, after);
    expect(changes.map(({ figure }) => figure)).toEqual([
      'purchases finished',
      'p50 to the outcome',
      'p99 to the outcome',
    ]);
    expect(changes[1]?.share).toBeCloseTo(1, 2);
    const voided = resultsWith({ finished: [10] }, { audit: { verdict: 'void', detail: 'oversold' } });
    expect(compare(before, voided).changes).toEqual([]);
  });

  it('compares runs at half the ceiling with each other, although the ceilings differ', () => {
    const at = (offered: number) =>
      resultsWith({ answered: [offered, offered] }, { parameters: { load: 'half the ceiling', offered } });
    expect(compare(at(1000), at(1100)).changes).toHaveLength(1);
  });

  it('lists measures that only one result has, and differences between the machines', () => {
    const machine = { ...resultsOf().machine, node: 'v25.0.0' };
    const a = resultsWith({ finished: [1, 1], onlyHereMs: [1, 1] });
    const b = { ...resultsWith({ finished: [1, 1], onlyThereMs: [1, 1] }), machine, mode: 'quick' as const };
    const told = compareResults(a, b);
    expect(told).toContain('hot-package: actor-mongodb: only here');
    expect(told).toContain('hot-package: actor-mongodb: only there');
    expect(told).toContain('node: v24.21.0 → v25.0.0');
    expect(told).toContain('mode: full → quick');
    expect(told.indexOf('only here')).toBeLessThan(told.indexOf('Only in B'));
  });

  it('limits the list of measures that only one result has', async () => {
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, nth) => [`figure${nth}Ms`, [1, 1]]));
    const [a, b] = [resultsWith({ finished: [1, 1] }), resultsWith({ finished: [1, 1], ...many })];
    expect(compareResults(a, b).split('\n').length).toBeLessThan(25);
    expect(compareResults(a, b)).toContain('… and 28 more, which the page lists');
    expect(await renderComparison(a, b)).toContain('figure 39');
  });

  it('reports two results that have nothing in common', async () => {
    const [a, b] = [resultsWith({ finished: [1, 1] }), resultsWith({ readyMs: [1, 1] })];
    expect(compareResults(a, b)).toContain('Nothing was measured in both.');
    const page = await renderComparison(a, b);
    expect(page).toContain('They have nothing in common');
    expect(page).not.toContain('0 worse');
  });

  it('renders a page that escapes text and loads nothing', async () => {
    const a = { ...resultsWith({ finished: [100, 101] }), command: '<script>' };
    const html = await renderComparison(a, resultsWith({ finished: [150, 151] }));
    expect(html).toContain('+50 %');
    expect(html).toContain('better');
    expect(html).toContain('&lt;script&gt;');
    expect(html).not.toMatch(/<script|https?:\/\//);
  });
});
