import { html } from 'hono/html';
import { figure } from '../../tools/plots/figure.ts';
import type { Html } from '../../tools/plots/page.ts';
import type { ScenarioResult } from '../results.ts';
import { type ContestantStyles, reportColours } from './contestant-styles.ts';
import { plotsOf } from './plots/scenario-plots.ts';
import { profileSection } from './profiles.ts';
import { groupsOfAll } from './summary.ts';
import { answersTable, figuresTable, latencyTable, voidRuns } from './tables.ts';

/** Description, plots, tables and notes of a scenario. */
export async function scenarioSection(scenario: ScenarioResult, styles: ContestantStyles): Promise<Html> {
  const groups = groupsOfAll(scenario);
  const figures = await Promise.all(plotsOf(scenario, styles).map((plot) => figure(plot, reportColours)));
  return html`<section id="${scenario.name}" aria-labelledby="${scenario.name}-title">
<h2 id="${scenario.name}-title">${scenario.title} <code>${scenario.name}</code></h2>
<p class="what">${inline(scenario.what)}</p>
${groups.length === 0 ? html`<p>Nothing was measured.</p>` : ''}
<div class="plots">${figures}</div>
${groups.length === 0 ? '' : figuresTable(scenario, groups, styles)}
${latencyTable(scenario, groups, styles)}
${profileSection(scenario)}
${voidRuns(groups)}
${answersTable(scenario, groups, styles)}
${scenario.notes.length === 0 ? '' : html`<div class="notes"><h4>Notes</h4><ul>${scenario.notes.map((note) => html`<li>${inline(note)}</li>`)}</ul></div>`}
</section>`;
}

/** Sets names between backticks as code. */
function inline(text: string): Html[] {
  return text.split('`').map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : html`${part}`));
}
