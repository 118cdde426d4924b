import { html } from 'hono/html';
import { type Html, page } from '../../tools/plots/page.ts';
import type { BenchResults } from '../results.ts';
import { compare, type FigureChange, headline } from './compare.ts';
import { reportColours } from './contestant-styles.ts';
import type { Unit } from './figure-names.ts';
import { formatChange, formatRange, formatValue, type Spread } from './numbers.ts';

/** The comparison of `b` with the older `a` as an HTML page. */
export async function renderComparison(a: BenchResults, b: BenchResults): Promise<string> {
  const { changes, onlyInA, onlyInB, differences } = compare(a, b);
  const scenarios = [...new Set(changes.map(({ scenario }) => scenario))];
  const count = (verdict: FigureChange['verdict']) =>
    changes.filter((change) => change.verdict === verdict).length;
  const lead =
    changes.length === 0
      ? 'They have nothing in common: no figure was measured in both.'
      : `${count('better')} figures are better, ${count('worse')} worse, ${count('noise')} within the noise of their rounds.`;
  const body = await html`<header class="top">
<p class="kicker">ticket-booking</p>
<h1>Two benches compared</h1>
<p class="lead">${lead}</p>
<dl class="facts"><div><dt>A, before</dt><dd>${headline(a)}</dd></div><div><dt>B, after</dt><dd>${headline(b)}</dd></div></dl>
</header>
<main>
${list('Not alike', 'They weigh on every figure below.', differences)}
${scenarios.map((scenario) =>
  section(
    scenario,
    changes.filter((change) => change.scenario === scenario),
  ),
)}
${list('Only in A', '', onlyInA)}
${list('Only in B', '', onlyInB)}
</main>
<footer><p>“noise” where the rounds of A and of B overlap; “one round” where there is nothing to tell noise by.</p></footer>`;
  return page('Two benches compared', body, reportColours);
}

function section(scenario: string, changes: readonly FigureChange[]): Html {
  return html`<section aria-labelledby="${scenario}-title"><h2 id="${scenario}-title">${scenario}</h2>
<div class="scroll" role="region" aria-label="${scenario}" tabindex="0"><table>
<thead><tr><th scope="col">Contestant</th><th scope="col">Figure</th><th scope="col" class="n">A</th><th scope="col" class="n">B</th><th scope="col" class="n">Change</th><th scope="col">Result</th></tr></thead>
<tbody>
${changes.map(
  ({
    of,
    figure,
    unit,
    before,
    after,
    share,
    verdict,
  }) => html`<tr class="${verdict}"><th scope="row">${of}</th><td>${figure}</td>
${cell(before, unit)}${cell(after, unit)}<td class="n"><strong>${formatChange(share)}</strong></td><td><span class="state">${verdict}</span></td></tr>`,
)}
</tbody></table></div></section>`;
}

function cell(spread: Spread, unit: Unit): Html {
  const range = formatRange(spread, unit);
  return html`<td class="n">${formatValue(spread.median, unit)}${range === '' ? '' : html`<small>${range}</small>`}</td>`;
}

function list(title: string, what: string, lines: readonly string[]): Html | '' {
  if (lines.length === 0) return '';
  return html`<section><h2>${title}</h2>${what === '' ? '' : html`<p>${what}</p>`}<ul>${lines.map((line) => html`<li>${line}</li>`)}</ul></section>`;
}
