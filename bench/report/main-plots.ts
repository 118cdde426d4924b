import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { drawAlone, type Plot } from '../../tools/plots/draw.ts';
import type { BenchResults, ScenarioResult } from '../results.ts';
import { type ContestantStyles, contestantStyles } from './contestant-styles.ts';
import { upgradeResults } from './older-versions.ts';
import { latencyPlot } from './plots/latency.ts';
import { nameGroups } from './plots/naming.ts';
import { speedUpPlot, speedUpsOf } from './plots/speed-up.ts';
import { groupsOfAll, isOpenLoop } from './summary.ts';

/**
 * Writes the plots of docs/benchmarks.md on white, except those without data.
 * @returns the names of the files.
 */
export async function plotsForReadme(given: BenchResults, folder: string): Promise<string[]> {
  const results = upgradeResults(given);
  const styles = contestantStyles(
    results.scenarios.flatMap(({ contestants }) => contestants.map(({ name }) => name)),
  );
  const plots = namedPlots(results, styles);
  await mkdir(folder, { recursive: true });
  const written = [];
  for (const [name, plot] of plots) {
    if (!plot) continue;
    await writeFile(join(folder, name), `${await drawAlone(plot)}\n`);
    written.push(name);
  }
  return written;
}

/** The same plots for the beginning of a report. */
export function firstPlots(results: BenchResults, styles: ContestantStyles): Plot[] {
  return namedPlots(results, styles).flatMap(([, plot]) => plot ?? []);
}

function namedPlots(results: BenchResults, styles: ContestantStyles): [string, Plot | undefined][] {
  return [
    ['speed-up.svg', speedUp(results, styles)],
    ['latency.svg', latency(results, styles)],
    ['fan-out.svg', fanOut(results, styles)],
  ];
}

/** One hot package: ours against all others, including Restate, which has a scenario of its own. */
function speedUp(results: BenchResults, styles: ContestantStyles): Plot | undefined {
  const all = speedUpsOf(find(results, 'hot-package'));
  const hot = all.filter(({ ours }) => ours === all[0]?.ours);
  const peers = speedUpsOf(find(results, 'restate')).filter(
    ({ ours, other }) =>
      ours.contestant.name === hot[0]?.ours.contestant.name &&
      !hot.some((speedUp) => speedUp.other.contestant.name === other.contestant.name),
  );
  return speedUpPlot([...hot, ...peers], styles, 'One hot package: speed-up');
}

/** Open loops only; runs at half the ceiling come first. */
function latency(results: BenchResults, styles: ContestantStyles): Plot | undefined {
  const groups = groupsOfAll(find(results, 'hot-package')).filter(
    (group) => isOpenLoop(group) && group.latencies.size > 0,
  );
  const half = groups.filter(({ label }) => label.includes('half'));
  const shown = (half.length > 0 ? half : groups).slice(0, 6);
  const name = ['outcome', 'confirmed', 'answer'].find((latency) => shown[0]?.latencies.has(latency));
  if (name === undefined) return undefined;
  const title = `${half.length > 0 ? 'Half the ceiling: from' : 'From'} the intended send to the outcome`;
  return latencyPlot(name, nameGroups(shown, styles), true, title);
}

function fanOut(results: BenchResults, styles: ContestantStyles): Plot | undefined {
  const groups = groupsOfAll(find(results, 'live')).filter(({ latencies }) => latencies.has('fanOut'));
  if (groups.length === 0) return undefined;
  return latencyPlot(
    'fanOut',
    nameGroups(groups.slice(0, 6), styles),
    true,
    'From a change of quota to the sockets',
  );
}

const nothing: ScenarioResult = { name: '', title: '', what: '', contestants: [], notes: [] };

function find({ scenarios }: BenchResults, name: string): ScenarioResult {
  return scenarios.find((scenario) => scenario.name === name) ?? nothing;
}
