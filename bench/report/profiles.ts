import { html } from 'hono/html';
import type { Html } from '../../tools/plots/page.ts';
import type { ScenarioResult } from '../results.ts';
import { formatNumber, formatValue } from './numbers.ts';
import { type Group, groupsOfAll, median } from './summary.ts';

/** Parts that take less than this share of every server are one row. */
const shareMin = 0.03;
const rest = 'all others';

/** Where the servers of a scenario spend their CPU time. */
interface ProfileTable {
  /** One column for each profiled group. */
  readonly groups: readonly Group[];
  /** The total, and then the parts from the largest to the smallest, each with one cell for each group. */
  readonly rows: readonly { readonly part: string; readonly cells: readonly Cell[] }[];
}

/** CPU time by purchase (`62 µs`), or of one core where the run tells no cost of a purchase (`12 %`); and its share. */
interface Cell {
  readonly value: string;
  readonly share: number;
}

/** @returns nothing if no run of the scenario was profiled. */
function profileTable(scenario: ScenarioResult): ProfileTable | undefined {
  const groups = groupsOfAll(scenario).filter(({ profile }) => profile.size > 0);
  if (groups.length === 0) return undefined;
  const columns = groups.map((group) => ({ group, shares: sharesOf(group) }));
  const parts = [...new Set(columns.flatMap(({ shares }) => [...shares.keys()]))].toSorted(
    (a, b) =>
      sum(columns.map(({ shares }) => shares.get(b) ?? 0)) -
      sum(columns.map(({ shares }) => shares.get(a) ?? 0)),
  );
  const isSmall = (part: string) => columns.every(({ shares }) => (shares.get(part) ?? 0) < shareMin);
  const large = parts.filter((part) => !isSmall(part));
  const small = parts.filter(isSmall);
  const row = (part: string, of: readonly string[]) => ({
    part,
    cells: columns.map(({ group, shares }) => {
      const share = sum(of.map((name) => shares.get(name) ?? 0));
      return { value: timeOf(group, share), share };
    }),
  });
  return {
    groups,
    rows: [
      row('the servers', parts),
      ...large.map((part) => row(part, [part])),
      ...(small.length > 0 ? [row(rest, small)] : []),
    ],
  };
}

/** The share of each part in what the servers use. */
function sharesOf({ profile }: Group): Map<string, number> {
  const total = sum([...profile.values()].map(({ median: cores }) => cores));
  return new Map([...profile].map(([part, { median: cores }]) => [part, cores / total]));
}

/** Without the databases, whose CPU time is a part of a purchase's cost but in no profile. */
function timeOf(group: Group, share: number): string {
  const server = group.cpu.get('server')?.median ?? 0;
  const cost = median(group, 'costPerPurchaseUs');
  if (Number.isNaN(cost)) return formatValue(server * share, 'share');
  const databases = group.cpu.get('databases')?.median ?? 0;
  return formatValue((cost * share * server) / (server + databases), 'µs');
}

/** A table in HTML; empty if no run was profiled. */
export function profileSection(scenario: ScenarioResult): Html | '' {
  const table = profileTable(scenario);
  if (table === undefined) return '';
  return html`<h4>Where the CPU time of the servers goes</h4>
<div class="scroll" role="region" aria-label="${scenario.title}: profiles" tabindex="0"><table>
<thead><tr><th scope="col">Part</th>${table.groups.map(
    (group) => html`<th scope="col" class="n">${nameOf(group)}</th>`,
  )}</tr></thead>
<tbody>
${table.rows.map(
  ({ part, cells }) =>
    html`<tr><th scope="row">${part}</th>${cells.map(
      ({ value, share }) => html`<td class="n">${value}<small>${shareText(share)}</small></td>`,
    )}</tr>`,
)}
</tbody></table></div>`;
}

/** The same as a Markdown table for docs/benchmarks.md. */
export function profileMarkdown(scenario: ScenarioResult): string {
  const table = profileTable(scenario);
  if (table === undefined) return '';
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    line([scenario.name, ...table.groups.map(nameOf)]),
    line(['---', ...table.groups.map(() => '---:')]),
    ...table.rows.map(({ part, cells }) => line([part, ...cells.map(({ value }) => value)])),
    '',
  ].join('\n');
}

function nameOf({ contestant, label }: Group): string {
  return label === '' ? contestant.name : `${contestant.name}, ${label}`;
}

function shareText(share: number): string {
  return share === 0 ? '' : `${formatNumber(share * 100)} %`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
