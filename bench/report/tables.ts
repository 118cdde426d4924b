import { html } from 'hono/html';
import type { Html } from '../../tools/plots/page.ts';
import type { ScenarioResult } from '../results.ts';
import type { ContestantStyles } from './contestant-styles.ts';
import { latencyLabel, meaningOf, type Unit } from './figure-names.ts';
import { formatNumber, formatRange, formatValue, type Spread } from './numbers.ts';
import { distinctLatencies, type Group, type LatencySummary } from './summary.ts';
import { lossesOf, roundsOf } from './terminal.ts';

/** Figures, CPU and audits: one row for each contestant and its parameters. */
export function figuresTable(
  { title }: ScenarioResult,
  groups: readonly Group[],
  styles: ContestantStyles,
): Html {
  const figures = namesOf(groups.map((group) => group.figures));
  const parts = namesOf(groups.map(({ cpu }) => cpu));
  return html`<div class="scroll" role="region" aria-label="${title}: figures" tabindex="0"><table>
<thead><tr><th scope="col">Contestant</th>
${figures.map((name) => html`<th scope="col" class="n">${columnTitle(name)}</th>`)}
${parts.map((part) => html`<th scope="col" class="n">CPU of ${part}, cores</th>`)}
<th scope="col">Rounds by audit</th></tr></thead>
<tbody>
${groups.map(
  (group) => html`<tr>${nameCell(group, styles)}
${figures.map((name) => spreadCell(group.figures.get(name), meaningOf(name).unit))}
${parts.map((part) => coresCell(group.cpu.get(part)))}
<td class="${group.voided.length > 0 ? 'bad' : ''}">${roundsOf(group)}${small(lossesOf(group))}</td></tr>`,
)}
</tbody></table></div>`;
}

/** Percentiles in ms; empty if nothing was timed. */
export function latencyTable(
  { title }: ScenarioResult,
  groups: readonly Group[],
  styles: ContestantStyles,
): Html | '' {
  const rows = groups.flatMap((group) =>
    distinctLatencies(group).map(([name, latency]) => ({ group, name, latency })),
  );
  if (rows.length === 0) return '';
  return html`<div class="scroll" role="region" aria-label="${title}: latencies" tabindex="0"><table>
<thead><tr><th scope="col">Latency, ms</th><th scope="col">of</th><th scope="col" class="n">count</th>
${['p50', 'p90', 'p99', 'p99.9', 'max'].map((name) => html`<th scope="col" class="n">${name}</th>`)}</tr></thead>
<tbody>
${rows.map(
  ({ group, name, latency }) => html`<tr>${nameCell(group, styles)}<td>${latencyLabel(name)}</td>
<td class="n">${formatNumber(latency.count)}</td>${percentileCells(latency)}</tr>`,
)}
</tbody></table></div>`;
}

/** Answers over all rounds that count. */
export function answersTable(
  { title }: ScenarioResult,
  groups: readonly Group[],
  styles: ContestantStyles,
): Html | '' {
  const answers = namesOf(groups.map((group) => group.answers)).toSorted();
  if (answers.length === 0) return '';
  return html`<details><summary>Answers by status</summary>
<div class="scroll" role="region" aria-label="${title}: answers" tabindex="0"><table>
<thead><tr><th scope="col">Contestant</th>${answers.map((name) => html`<th scope="col" class="n">${name}</th>`)}
<th scope="col" class="n">not sent in time</th><th scope="col" class="n">errors</th></tr></thead>
<tbody>
${groups.map(
  (group) => html`<tr>${nameCell(group, styles)}
${answers.map((name) => html`<td class="n">${formatNumber(group.answers.get(name) ?? 0)}</td>`)}
<td class="n">${formatNumber(group.dropped)}</td><td class="n">${formatNumber(group.errors)}</td></tr>`,
)}
</tbody></table></div></details>`;
}

/** Void runs and the reasons. */
export function voidRuns(groups: readonly Group[]): Html | '' {
  const voided = groups.flatMap((group) => group.voided.map((run) => ({ group, run })));
  if (voided.length === 0) return '';
  return html`<div class="void"><h4>Void runs</h4><p>Their audit failed, so they are in no figure here.</p><ul>
${voided.map(
  ({ group, run }) =>
    html`<li>${group.contestant.title}${group.label === '' ? '' : `, ${group.label}`}, round ${run.round}: ${run.audit.detail}</li>`,
)}
</ul></div>`;
}

function nameCell({ contestant, label }: Group, styles: ContestantStyles): Html {
  const style = styles.get(contestant.name);
  return html`<th scope="row"><span class="name"><i style="background: var(--${style?.name ?? 'axis'})" aria-hidden="true"></i>
<span>${contestant.title}${small(label)}</span></span></th>`;
}

function small(text: string): Html | '' {
  return text === '' ? '' : html`<small>${text}</small>`;
}

function columnTitle(figure: string): string {
  const { label, unit } = meaningOf(figure);
  return unit === '/s' ? `${label} per second` : label;
}

function spreadCell(spread: Spread | undefined, unit: Unit): Html {
  if (!spread) return html`<td class="n">–</td>`;
  const shown = unit === '/s' ? '' : unit;
  const range = formatRange(spread, unit);
  return html`<td class="n">${formatValue(spread.median, shown)}${small(range)}</td>`;
}

function coresCell(spread: Spread | undefined): Html {
  if (!spread) return html`<td class="n">–</td>`;
  const [median, min, max] = [spread.median, spread.min, spread.max].map((cores) => cores.toFixed(2));
  return html`<td class="n">${median}${min === max ? '' : html`<small>${min}–${max}</small>`}</td>`;
}

function percentileCells({ p50, p90, p99, p999, max }: LatencySummary): Html[] {
  return [p50, p90, p99, p999, max].map((spread) => spreadCell(spread, ''));
}

function namesOf(maps: readonly ReadonlyMap<string, unknown>[]): string[] {
  return [...new Set(maps.flatMap((map) => [...map.keys()]))];
}
