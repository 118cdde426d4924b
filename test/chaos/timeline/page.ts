import { readFile } from 'node:fs/promises';
import { html, raw } from 'hono/html';
import type { Findings, Violation } from '../checker/index.ts';
import { cssVariables, harms, outcomes } from './palette.ts';

/** What `html` makes: safe to put into more of it. */
type Html = ReturnType<typeof html>;

export interface PageContent {
  readonly title: string;
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly plots: { readonly wide: string; readonly narrow: string };
  readonly hint: string;
  readonly answers: ReadonlyMap<string, number>;
  readonly faults: ReadonlyMap<string, number>;
  readonly findings: Findings;
}

/** A whole page that asks for nothing: its style is inside, it has no script, and its policy forbids both to come from elsewhere. */
export async function page({
  title,
  facts,
  plots,
  hint,
  answers,
  faults,
  findings,
}: PageContent): Promise<string> {
  const css = await readFile(new URL('timeline.css', import.meta.url), 'utf8');
  const colours = `:root {\n${cssVariables('light')}\n}\n@media (prefers-color-scheme: dark) {\n:root {\n${cssVariables('dark')}\n}\n}`;
  return String(
    await html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title>
<style>
${raw(`${colours}\n${css}`)}
</style>
</head>
<body>
<header>
<p class="kicker">ticket-booking</p>
<h1>${title}</h1>
${verdict(findings)}
<dl class="facts">
${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}
</dl>
</header>
<main>
${violations(findings)}
<figure>
${legends()}
<div class="wide">${raw(plots.wide)}</div>
<div class="narrow">${raw(plots.narrow)}</div>
<p class="hint">${hint}</p>
</figure>
<div class="tables">
${table('Answers to purchases', answers)}
${table('Faults', faults)}
${table('Checked', new Map(Object.entries(findings.figures)))}
</div>
</main>
</body>
</html>
`,
  );
}

function verdict({ violations, figures }: Findings): Html {
  const count = Math.max(violations.length, countOf(figures));
  const words = count === 1 ? '1 violation' : `${formatCount(count)} violations`;
  return html`<p class="verdict ${count === 0 ? 'good' : 'bad'}">${words}</p>`;
}

/** More may have been found than were kept. */
function countOf(figures: Findings['figures']): number {
  return Object.entries(figures).reduce(
    (sum, [name, count]) => sum + (name.startsWith('violations ') ? count : 0),
    0,
  );
}

function violations({ violations }: Findings): Html | '' {
  if (violations.length === 0) return '';
  const item = ({ rule, words }: Violation) => html`<li><b>${rule}</b><span>${words}</span></li>`;
  return html`<section class="card"><h2>Violations</h2><ul class="violations">${violations.map(item)}</ul></section>`;
}

function legends(): Html {
  const item = (name: string, label: string, kind = '') =>
    html`<li><i class="${kind}" style="background: var(--${name})"></i>${label}</li>`;
  return html`<div class="legends">
<ul class="legend" aria-label="Answers">${Object.entries(outcomes).map(([name, { label }]) => item(`o-${name}`, label))}</ul>
<ul class="legend" aria-label="Latency">${item('p50', 'latency p50', 'line')}${item('p99', 'latency p99', 'line')}</ul>
<ul class="legend" aria-label="Faults">${Object.entries(harms).map(([name, { label }]) => item(`h-${name}`, label))}</ul>
</div>`;
}

function table(title: string, counts: ReadonlyMap<string, number>): Html {
  const rows = [...counts].sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }));
  return html`<section class="card"><h2>${title}</h2><table><tbody>
${rows.map(([name, count]) => html`<tr><th scope="row">${name}</th><td>${formatCount(count)}</td></tr>`)}
</tbody></table></section>`;
}

export function formatCount(count: number): string {
  return count.toLocaleString('en');
}
