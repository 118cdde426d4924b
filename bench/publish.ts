/**
 * Publishes a full run: copies its results and report to `bench/published`, draws the plots of docs/benchmarks.md
 * there, and prints that page's table of goals and links to plots in Markdown. A run with profiles goes to
 * `bench/published/profiled`, and its tables are printed.
 *
 * node bench/publish.ts bench/results/latest.json
 */
import { join } from 'node:path';
import { goalsOf } from './goals.ts';
import { goalsTable, plotsForReadme, profileMarkdown, readResults, writeReport } from './report/index.ts';

const [file] = process.argv.slice(2);
if (file === undefined) {
  console.error('node bench/publish.ts <results.json>');
  process.exit(2);
}
const published = new URL('published/', import.meta.url).pathname;
const found = await readResults(file);
// Removes the output folder from the command, and computes the goals again because their explanations may have changed.
const command = found.command.replace(/ --out \S+/, '').replace(/ --$/, '');
const isProfiled = found.scenarios.some((scenario) => profileMarkdown(scenario) !== '');
const results = { ...found, command, goals: isProfiled ? [] : goalsOf(found.scenarios) };
if (isProfiled) {
  await writeReport(results, join(published, 'profiled'));
  for (const scenario of results.scenarios) console.log(profileMarkdown(scenario));
} else {
  await writeReport(results, published);
  const plots = await plotsForReadme(results, published);
  console.log(goalsTable(results));
  for (const plot of plots) console.log(`![](../bench/published/${plot})`);
}
