import { html } from 'hono/html';
import type { Plot } from '../../../tools/plots/draw.ts';
import { figure } from '../../../tools/plots/figure.ts';
import { type Html, page } from '../../../tools/plots/page.ts';
import type { Findings, Violation } from '../checker/index.ts';
import { timelineColours } from './colours.ts';

export interface TimelineContent {
  readonly title: string;
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly plot: Plot;
  readonly answers: ReadonlyMap<string, number>;
  readonly faults: ReadonlyMap<string, number>;
  readonly findings: Findings;
}

/** The page of one run: number of violations, facts, plots, and tables of answers, faults and checks. */
export async function timelinePage(content: TimelineContent): Promise<string> {
  const { title, facts, plot, answers, faults, findings } = content;
  const body = await html`<header>
<p class="kicker">ticket-booking</p>
<h1>${title}</h1>
${violationCount(findings)}
<dl class="facts counts">
${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}
</dl>
</header>
<main>
${violationList(findings)}
<section aria-label="Timeline">${await figure(plot, timelineColours)}</section>
<div class="cards">
${countsTable('Answers to purchases', answers)}
${countsTable('Faults', faults)}
${countsTable('Checked', new Map(Object.entries(findings.figures)))}
</div>
</main>`;
  return page(title, body, timelineColours);
}

function violationCount({ violations, figures }: Findings): Html {
  const count = Math.max(violations.length, countInFigures(figures));
  const words = count === 1 ? '1 violation' : `${formatCount(count)} violations`;
  return html`<p class="${count === 0 ? 'met' : 'missed'}"><strong class="state">${words}</strong></p>`;
}

/**
 * The number of violations in the figures. The findings list only the first violations of each rule; the figures count
 * all of them.
 */
function countInFigures(figures: Findings['figures']): number {
  return Object.entries(figures).reduce(
    (sum, [name, count]) => sum + (name.startsWith('violations ') ? count : 0),
    0,
  );
}

function violationList({ violations }: Findings): Html | '' {
  if (violations.length === 0) return '';
  const item = ({ rule, words }: Violation) => html`<li><b>${rule}</b><span>${words}</span></li>`;
  return html`<section class="card"><h2>Violations</h2><ul class="violations">${violations.map(item)}</ul></section>`;
}

function countsTable(title: string, counts: ReadonlyMap<string, number>): Html {
  const rows = [...counts].sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }));
  return html`<section class="card"><h2>${title}</h2><table><tbody>
${rows.map(([name, count]) => html`<tr><th scope="row">${name}</th><td class="n">${formatCount(count)}</td></tr>`)}
</tbody></table></section>`;
}

export function formatCount(count: number): string {
  return count.toLocaleString('en');
}
