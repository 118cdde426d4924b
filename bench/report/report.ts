import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { html } from 'hono/html';
import { figure } from '../../tools/plots/figure.ts';
import { page } from '../../tools/plots/page.ts';
import type { BenchResults } from '../results.ts';
import { contestantStyles, reportColours } from './contestant-styles.ts';
import { goalsSection } from './goals.ts';
import { header, runSection } from './header.ts';
import { writeHistograms } from './histograms.ts';
import { firstPlots } from './main-plots.ts';
import { upgradeResults } from './older-versions.ts';
import { scenarioSection } from './scenario-section.ts';

/** @returns a complete HTML page without scripts, fonts or images from elsewhere. */
export async function renderReport(given: BenchResults): Promise<string> {
  const results = upgradeResults(given);
  const { scenarios, goals } = results;
  const styles = contestantStyles(
    scenarios.flatMap(({ contestants }) => contestants.map(({ name }) => name)),
  );
  const sections = await Promise.all(scenarios.map((scenario) => scenarioSection(scenario, styles)));
  const first = await Promise.all(firstPlots(results, styles).map((plot) => figure(plot, reportColours)));
  // Without common plots the scenarios, which have plots of their own, come before the goals.
  const goalsPart = results.mode === 'targets' && goals.length === 0 ? '' : goalsSection(results);
  const parts = first.length === 0 ? [sections, goalsPart] : [goalsPart, sections];
  const body = await html`${header(results)}
<main>
${first.length === 0 ? '' : html`<section aria-label="At a glance"><div class="plots">${first}</div></section>`}
${parts}
${runSection(results)}
</main>
<footer><p>Figures are the median of the rounds that passed their audit, with the lowest and the highest. <code>bench/README.md</code>
explains the scenarios, and how the comparison is kept fair.</p></footer>`;
  return page(`Bench report, ${results.startedAt.slice(0, 10)}`, body, reportColours);
}

/** Writes `latest.json`, `report.html` and the folder `histograms` into the folder. */
export async function writeReport(
  results: BenchResults,
  folder: string,
): Promise<{ readonly json: string; readonly report: string }> {
  const paths = { json: join(folder, 'latest.json'), report: join(folder, 'report.html') };
  await mkdir(folder, { recursive: true });
  const withoutHistograms = (key: string, value: unknown) => (key === 'hgrm' ? undefined : value);
  await writeFile(paths.json, `${JSON.stringify(results, withoutHistograms, 1)}\n`);
  await writeHistograms(results, join(folder, 'histograms'));
  await writeFile(paths.report, await renderReport(results));
  return paths;
}
