/**
 * Publishes a full run: copies its results and report to `bench/published`, draws the plots of docs/benchmarks.md
 * there, and prints that page's table of goals and links to plots in Markdown.
 *
 * node bench/publish.ts bench/results/latest.json
 */
import { mkdir } from 'node:fs/promises';
import { goalsOf } from './goals.ts';
import { goalsTable, plotsForReadme, readResults, writeReport } from './report/index.ts';

const [file] = process.argv.slice(2);
if (file === undefined) {
  console.error('node bench/publish.ts <results.json>');
  process.exit(2);
}
const published = new URL('published/', import.meta.url).pathname;
const found = await readResults(file);
// Removes the output folder from the command, and computes the goals again because their explanations may have changed.
const command = found.command.replace(/ -- --out \S+$/, '');
const results = { ...found, command, goals: goalsOf(found.scenarios) };
await mkdir(published, { recursive: true });
await writeReport(results, published);
const plots = await plotsForReadme(results, published);
console.log(goalsTable(results));
for (const plot of plots) console.log(`![](../bench/published/${plot})`);
