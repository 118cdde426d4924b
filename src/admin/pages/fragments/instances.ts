import { formatCount } from '../../../http/pages/format.ts';
import { type Html, markup } from '../../../http/pages/markup.ts';
import type { InstanceStatus } from '../../instance-service.ts';
import { durationWords, memoryWords, msWords, rateWords } from '../format.ts';
import { type Column, cell, dash, figureCell, headCell, table } from './table.ts';

export const instancesElementId = 'admin-instances';

const columns: readonly Column[] = [
  { name: 'instance', label: 'Instance' },
  { name: 'state', label: 'State' },
  { name: 'load', label: 'Packages', isFigure: true },
  { name: 'load', label: 'Orders / s', isFigure: true },
  { name: 'load', label: 'Mailbox', isFigure: true },
  { name: 'load', label: 'Sagas', isFigure: true },
  { name: 'load', label: 'Viewers', isFigure: true },
  { name: 'load', label: 'Loop lag', isFigure: true },
  { name: 'load', label: 'Memory', isFigure: true },
  { name: 'action', label: 'Actions', isUnlabelled: true },
];

/** Who serves, and how busy each is. */
export function instancesTable(instances: readonly InstanceStatus[], now: number): Html {
  return table({
    id: instancesElementId,
    caption: 'Instances and their load',
    columns,
    rows: instances.map((instance) => instanceRow(instance, now)),
    empty: 'No instances found.',
  });
}

function instanceRow(instance: InstanceStatus, now: number): Html {
  const { id, state, isThis } = instance;
  const load = 'load' in instance ? instance.load : undefined;
  const version = 'version' in instance ? `version ${instance.version}` : 'unknown version';
  const figure = (words: string | undefined) => words ?? dash();
  return markup`
    <tr role="row" id="admin-instance-${id}" class="instance">
      ${headCell(markup`
        <span class="row-name">${id}</span>
        <span class="under">${state === 'lost' ? '' : version}${isThis ? ' · shows this page' : ''}</span>`)}
      ${cell('State', markup`<span class="state state-${tones[state]}">${stateWords[state]}</span><span class="under">${sinceWords(instance, now)}</span>`, 'wide')}
      ${figureCell('Packages', figure(state === 'lost' ? `had ${formatCount(instance.packages)}` : load && formatCount(load.packages)))}
      ${figureCell('Orders / s', figure(load && rateWords(load.purchasesPerS)))}
      ${figureCell('Mailbox', figure(load && formatCount(load.mailbox)))}
      ${figureCell('Sagas', figure(load && formatCount(load.sagas)))}
      ${figureCell('Viewers', figure(load && formatCount(load.sockets)))}
      ${figureCell('Loop lag', figure(load && msWords(load.eventLoopLagMs)))}
      ${figureCell('Memory', figure(load && memoryWords(load.rssBytes)))}
      <td role="cell" class="row-actions">${action(instance)}</td>
    </tr>`;
}

function sinceWords(instance: InstanceStatus, now: number): string {
  if (instance.state === 'silent') return 'no answer in time';
  if (instance.state === 'lost') return `for ${durationWords(now - instance.at)}`;
  return 'startedAt' in instance ? `up ${durationWords(now - instance.startedAt)}` : 'signed off';
}

function action({ id, state }: InstanceStatus): Html | string {
  const unseen = markup`<span class="unseen"> ${id}</span>`;
  if (state === 'lost') {
    return markup`
      <form method="post" action="/admin/instances/${encodeURIComponent(id)}/dismiss">
        <button class="small-button" type="submit">Dismiss${unseen}</button>
      </form>`;
  }
  if (state !== 'ready' && state !== 'not_ready') return '';
  return markup`<a class="small-button" href="/admin/instances/${id}/drain">Drain${unseen}</a>`;
}

const tones = { ready: 'good', not_ready: 'bad', draining: 'wait', silent: 'bad', lost: 'bad' } as const;
const stateWords = {
  ready: 'Ready',
  not_ready: 'Not ready',
  draining: 'Draining',
  silent: 'Silent',
  lost: 'Lost',
} as const;
