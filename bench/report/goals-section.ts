import { html } from 'hono/html';
import type { Html } from '../../tools/plots/page.ts';
import type { GoalResult } from '../results.ts';
import { formatGoalState, goalBound, goalState, goalValue, summarizeGoals } from './goals.ts';

const signs = { met: '✓', missed: '✗', 'not measured': '–' } as const;

/** The table of goals. Goals of scenarios that did not run are one sentence below it. */
export function goalsSection(goals: readonly GoalResult[]): Html {
  if (goals.length === 0) {
    return html`<section id="goals"><h2>Goals</h2><p>This run had none to hold itself against.</p></section>`;
  }
  return html`<section id="goals" aria-labelledby="goals-title">
<h2 id="goals-title">Goals</h2>
<p>${summarizeGoals(goals)}. Each is a ratio or a bound within this run: same client, same store, same settings.</p>
<div class="scroll" role="region" aria-label="Goals" tabindex="0"><table class="goals">
<thead><tr><th scope="col">Goal</th><th scope="col">Result</th><th scope="col" class="n">Measured</th><th scope="col" class="n">Asked</th><th scope="col">Scenario</th></tr></thead>
<tbody>
${goals.map(row)}
</tbody></table></div>
</section>`;
}

function row(goal: GoalResult): Html {
  const state = goalState(goal);
  return html`<tr class="${state.replace(' ', '-')}">
<th scope="row">${titleOf(goal)}</th>
<td><span class="state"><span aria-hidden="true">${signs[state]}</span> ${state}</span></td>
<td class="n"><strong>${goalValue(goal)}</strong></td>
<td class="n">${goalBound(goal)}</td>
<td><a href="#${goal.scenario}">${goal.scenario}</a></td>
</tr>`;
}

/** The title, with an explanation to unfold if the goal is missed, or the value of a run that was too small. */
function titleOf(goal: GoalResult): Html {
  const { title, why, smaller } = goal;
  if (why !== undefined) return html`<details class="why"><summary>${title}</summary><p>${why}</p></details>`;
  const isSmaller = smaller !== undefined && goalState(goal) === 'not measured';
  return html`${title}${isSmaller ? html`<small>${formatGoalState(goal)}</small>` : ''}`;
}
