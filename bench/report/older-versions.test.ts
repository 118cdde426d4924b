import { expect, it } from 'vitest';
import { compare } from './compare.ts';
import { resultsOf, runOf } from './fixture.ts';
import { countedByArrival } from './older-versions.ts';
import { renderReport } from './report.ts';

const withRun = (version: 1 | 2, figures: Readonly<Record<string, number>>, parameters = {}) => {
  const contestants = [{ name: 'a', title: 'ours', isOurs: true, runs: [runOf({ figures, parameters })] }];
  const scenario = { name: 'growth', title: 'Growth', what: '', notes: [], contestants };
  return { ...resultsOf({ scenarios: [scenario], goals: [] }), version } as const;
};

it('labels `finished` of an older version as confirmed or queued orders', async () => {
  const old = await renderReport(withRun(1, { finished: 12 }));
  expect(old).toContain('orders confirmed per second');
  expect(old).not.toContain('purchases finished');
  expect(old).toContain(countedByArrival);
  expect(await renderReport(withRun(1, { finished: 12 }, { waiting: 0 }))).toContain('purchases queued');
  const present = await renderReport(withRun(2, { finished: 12 }));
  expect(present).toContain('purchases finished per second');
  expect(present).not.toContain(countedByArrival);
});

it('compares confirmed orders between an older and a newer version, and explains how both were counted', () => {
  const { changes, onlyInB, differences } = compare(
    withRun(1, { finished: 10 }),
    withRun(2, { finished: 30, confirmedPerSecond: 20 }),
  );
  expect(changes).toMatchObject([{ figure: 'orders confirmed', share: 1 }]);
  expect(onlyInB).toEqual([]);
  expect(differences.join()).toMatch(/counting: by the arrival of the answer → by the intended send/);
});
