import { html } from 'hono/html';
import type { Html } from '../../tools/plots/page.ts';
import type { BenchResults, GoalResult } from '../results.ts';
import { formatValue } from './numbers.ts';

export type GoalState = 'met' | 'missed' | 'not measured';

export function goalState({ atLeast, atMost, value }: GoalResult): GoalState {
  if (value === undefined || !Number.isFinite(value)) return 'not measured';
  const isMet = (atLeast === undefined || value >= atLeast) && (atMost === undefined || value <= atMost);
  return isMet ? 'met' : 'missed';
}

/** The bound as text: `≥ 30×`, `≤ 25 ms`. */
export function goalBound({ atLeast, atMost, unit }: GoalResult): string {
  const bounds = [];
  if (atLeast !== undefined) bounds.push(`≥ ${formatValue(atLeast, unit)}`);
  if (atMost !== undefined) bounds.push(`≤ ${formatValue(atMost, unit)}`);
  return bounds.join(', ');
}

export function goalValue({ value, unit }: GoalResult): string {
  return value === undefined ? '–' : formatValue(value, unit);
}

/** The state as text; for a run that was too small: `not measured at this size: 1.20 s with 2,000 buyers`. */
export function formatGoalState(goal: GoalResult): string {
  const { smaller, unit } = goal;
  const state = goalState(goal);
  if (state !== 'not measured' || smaller === undefined) return state;
  return `${state} at this size: ${formatValue(smaller.value, unit)} ${smaller.at}`;
}

/** The goals of the scenarios that ran, and one sentence on the others; empty if there are none. */
function goalsOfRun({ goals, scenarios }: GoalsOfResults): { ran: readonly GoalResult[]; others: string } {
  const isOfRun = ({ scenario }: GoalResult) => scenarios.some(({ name }) => name === scenario);
  const others = goals.filter((goal) => !isOfRun(goal));
  const names = [...new Set(others.map(({ scenario }) => scenario))];
  return {
    ran: goals.filter(isOfRun),
    others:
      others.length === 0
        ? ''
        : `${others.length} goals of other scenarios were not measured: ${names.join(', ')}.`,
  };
}

type GoalsOfResults = Pick<BenchResults, 'goals' | 'scenarios'>;

/** Whether one of the scenarios that ran has goals. */
export function hasGoals(results: GoalsOfResults): boolean {
  return goalsOfRun(results).ran.length > 0;
}

/** A summary of the goals of the scenarios that ran: `9 of 14 goals met, 2 missed, 3 not measured`. */
export function summarizeGoals(results: GoalsOfResults): string {
  const { ran } = goalsOfRun(results);
  const count = (state: GoalState) => ran.filter((goal) => goalState(goal) === state).length;
  const [missed, unmeasured] = [count('missed'), count('not measured')];
  const rest = [missed > 0 ? `, ${missed} missed` : '', unmeasured > 0 ? `, ${unmeasured} not measured` : ''];
  return `${count('met')} of ${ran.length} goals met${rest.join('')}`;
}

/**
 * The goals of the scenarios that ran as a Markdown table, for the terminal and docs/benchmarks.md; one line names the
 * others.
 */
export function goalsTable(results: GoalsOfResults): string {
  const { ran, others } = goalsOfRun(results);
  const rows = ran.map((goal) => {
    const cells = [goal.scenario, goal.title, goalBound(goal), goalValue(goal), verdict(goal)];
    return `| ${cells.map(markdownCell).join(' | ')} |`;
  });
  const table = ['| scenario | what | goal | measured | |', '| --- | --- | --- | --- | --- |', ...rows, ''];
  return [...(rows.length > 0 ? table : []), ...(others === '' ? [] : [others, ''])].join('\n');
}

function verdict(goal: GoalResult): string {
  const state = goalState(goal);
  return goal.why === undefined || state !== 'missed' ? formatGoalState(goal) : `${state}: ${goal.why}`;
}

/** A Markdown cell must be one line without a bar. */
function markdownCell(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|');
}

const signs = { met: '✓', missed: '✗', 'not measured': '–' } as const;

/** The table of goals. Goals of scenarios that did not run are one sentence below it. */
export function goalsSection(results: GoalsOfResults): Html {
  const { ran, others } = goalsOfRun(results);
  if (ran.length === 0) {
    return html`<section id="goals"><h2>Goals</h2><p>There are no goals for the scenarios of this run.${others === '' ? '' : ` ${others}`}</p></section>`;
  }
  return html`<section id="goals" aria-labelledby="goals-title">
<h2 id="goals-title">Goals</h2>
<p>${summarizeGoals(results)}. Each is a ratio or a bound within this run: same client, same store, same settings.</p>
<div class="scroll" role="region" aria-label="Goals" tabindex="0"><table class="goals">
<thead><tr><th scope="col">Goal</th><th scope="col">Result</th><th scope="col" class="n">Measured</th><th scope="col" class="n">Asked</th><th scope="col">Scenario</th></tr></thead>
<tbody>
${ran.map(row)}
</tbody></table></div>
${others === '' ? '' : html`<p>${others}</p>`}
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
