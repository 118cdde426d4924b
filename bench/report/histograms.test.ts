import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Latencies } from '../client/histogram.ts';
import { resultsOf, runOf } from './fixture.ts';
import { writeHistograms } from './histograms.ts';
import { readResults, writeReport } from './index.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ticket-booking-histograms-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function results() {
  const outcome = new Latencies();
  for (let ms = 1; ms <= 1_000; ms++) outcome.record(ms);
  const run = runOf({
    round: 2,
    parameters: { load: 'half the ceiling', offered: 700 },
    latencies: { outcome: outcome.distribution(), answer: outcome.percentiles() },
  });
  const contestants = [{ name: 'actor-sqlite', title: '', isOurs: true, runs: [run] }];
  return resultsOf({
    scenarios: [{ name: 'hot-package', title: '', what: '', notes: [], contestants }],
    goals: [],
  });
}

it('writes the whole distribution of each latency in ms, and removes files of an earlier run', async () => {
  const histograms = join(folder, 'histograms');
  await writeHistograms(results(), histograms);
  await writeFile(join(histograms, 'hot-package', 'old.hgrm'), '');
  await writeHistograms(results(), histograms);
  const [name = '', ...others] = await readdir(join(histograms, 'hot-package'));
  expect(others).toEqual([]);
  expect(name).toBe('actor-sqlite-load-half-the-ceiling-offered-700-round-2-outcome.hgrm');
  const lines = (await readFile(join(histograms, 'hot-package', name), 'utf8')).split('\n');
  expect(lines[0]?.trim().split(/\s+/)).toEqual(['Value', 'Percentile', 'TotalCount', '1/(1-Percentile)']);
  const median = lines
    .map((line) => line.trim().split(/\s+/))
    .find(([, percentile]) => Number(percentile) === 0.5);
  expect(Number(median?.[0])).toBeCloseTo(500, -1);
  expect(lines.join('\n')).toMatch(/#\[Max +=.*Total count += +1000\]/);
});

it('does not repeat the distribution in the JSON', async () => {
  const { json } = await writeReport(results(), folder);
  expect(await readFile(json, 'utf8')).not.toContain('hgrm');
  expect((await readResults(json)).scenarios[0]?.contestants[0]?.runs[0]?.latencies.outcome?.count).toBe(
    1_000,
  );
});
