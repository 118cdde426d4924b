import { html } from 'hono/html';
import type { Html } from '../../tools/plots/page.ts';
import type { BenchResults } from '../results.ts';
import { placementText } from './compare.ts';
import { meaningOf } from './figure-names.ts';
import { hasGoals, summarizeGoals } from './goals.ts';
import { formatDuration, formatNumber } from './numbers.ts';
import { countedByArrival } from './older-versions.ts';
import { type SpeedUp, speedUpsOf } from './plots/speed-up.ts';

const modes = {
  full: 'A full run.',
  quick: 'A quick run: short rounds, to see that all works; its figures are not for quoting.',
  targets: 'A run against servers that were there already.',
} as const;

/** The title, a summary of the results, and links to the sections. */
export function header(results: BenchResults): Html {
  const { scenarios, goals, mode } = results;
  return html`<header class="top">
<p class="kicker">ticket-booking</p>
<h1>Bench report</h1>
<p class="lead">${lead(results)}</p>
<p class="mode">${modes[mode]}${results.version === 1 ? ` ${countedByArrival}` : ''}</p>
<nav aria-label="Contents"><ol>
${goals.length === 0 && mode === 'targets' ? '' : html`<li><a href="#goals">Goals</a></li>`}
${scenarios.map(({ name, title }) => html`<li><a href="#${name}">${title}</a></li>`)}
<li><a href="#run">How it was run</a></li>
</ol></nav>
</header>`;
}

/** Date, command, commit, machine and software of the run. */
export function runSection(results: BenchResults): Html {
  const { machine } = results;
  const facts: [string, string][] = [
    ['Date', `${results.startedAt.slice(0, 16).replace('T', ' ')} UTC, ${formatDuration(results.durationS)}`],
    ['Command', results.command],
    ['Commit', results.commit?.slice(0, 12) ?? 'unknown'],
    [
      'Machine',
      `${machine.cpu}, ${machine.cores} cores, ${formatNumber(machine.memoryGiB)} GiB, ${machine.os}`,
    ],
    ['Software', [`Node ${machine.node.replace(/^v/, '')}`, ...machine.servers].join(', ')],
    ['Placement on cores', placementText(machine.placement)],
  ];
  return html`<section id="run" aria-labelledby="run-title">
<h2 id="run-title">How it was run</h2>
<dl class="facts">
${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}
</dl>
</section>`;
}

function lead(results: BenchResults): string {
  if (results.headline !== undefined) return results.headline;
  const goals = hasGoals(results) ? `${summarizeGoals(results)}.` : '';
  const [fastest] = results.scenarios.map(speedUpsOf).filter((speedUps) => speedUps.length > 1);
  return [fastest ? speedSentence(fastest) : '', goals].filter((part) => part !== '').join(' ');
}

function speedSentence(speedUps: readonly SpeedUp[]): string {
  const [first] = speedUps;
  const faster = speedUps
    .filter(({ ours, ratio }) => ours === first?.ours && ratio.median > 1)
    .toSorted((a, b) => b.ratio.median - a.ratio.median);
  const rate = first?.ours.figures.get(first.figure)?.median;
  if (!first || faster.length === 0 || rate === undefined) return '';
  const { scenario, ours, figure } = first;
  const parts = faster.map(({ other, ratio }) => `${formatNumber(ratio.median)}× ${other.contestant.title}`);
  const did = `${formatNumber(rate)} ${meaningOf(figure).label} per second by ${ours.contestant.title}`;
  return `${scenario.title}: ${did}, ${new Intl.ListFormat('en').format(parts)}.`;
}
