import type { GoalResult } from '../results.ts';
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

/** A summary: `9 of 14 goals met, 2 missed, 3 not measured`. */
export function summarizeGoals(goals: readonly GoalResult[]): string {
  const count = (state: GoalState) => goals.filter((goal) => goalState(goal) === state).length;
  const [missed, unmeasured] = [count('missed'), count('not measured')];
  const rest = [missed > 0 ? `, ${missed} missed` : '', unmeasured > 0 ? `, ${unmeasured} not measured` : ''];
  return `${count('met')} of ${goals.length} goals met${rest.join('')}`;
}

/**
 * The goals of the scenarios that ran as a Markdown table, for the terminal and docs/benchmarks.md; one line names the
 * others.
 */
export function goalsTable({ goals }: { readonly goals: readonly GoalResult[] }): string {
  const rows = goals.map((goal) => {
    const cells = [goal.scenario, goal.title, goalBound(goal), goalValue(goal), verdict(goal)];
    return `| ${cells.map(markdownCell).join(' | ')} |`;
  });
  return ['| scenario | what | goal | measured | |', '| --- | --- | --- | --- | --- |', ...rows, ''].join(
    '\n',
  );
}

function verdict(goal: GoalResult): string {
  const state = goalState(goal);
  return goal.why === undefined || state !== 'missed' ? formatGoalState(goal) : `${state}: ${goal.why}`;
}

/** A Markdown cell must be one line without a bar. */
function markdownCell(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|');
}
