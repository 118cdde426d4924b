import type { Hono } from 'hono';
import type { ErrorCode } from '../../domain/errors.ts';
import { type Html, markup } from '../../http/pages/markup.ts';
import type { InstanceStatus } from '../instance-service.ts';
import { serveAction } from './confirm.ts';
import {
  type AdminContext,
  type AdminDeps,
  type AdminEnv,
  adminRouter,
  found,
  goOn,
  show,
  showProblem,
} from './context.ts';
import { durationWords, formatCount, formatQuantity, memoryWords, msWords, rateWords } from './format.ts';
import { type Column, cell, dash, headCell, numberCell, table } from './fragments/table.ts';

interface InstanceSubject {
  readonly instance: InstanceStatus;
  readonly all: readonly InstanceStatus[];
}

/** `/admin/instances/:id/drain` and `…/dismiss`. */
export function instanceRoutes(deps: AdminDeps): Hono<AdminEnv> {
  const { instances } = deps.service;
  const routes = adminRouter();
  const load = async (c: AdminContext): Promise<InstanceSubject> => {
    const all = await instances.list();
    const instance = all.find(({ id }) => id === c.req.param('id'));
    return { instance: found(instance, 'unknown_instance'), all };
  };
  const refused = (c: AdminContext, _subject: InstanceSubject, code: ErrorCode) => showProblem(c, deps, code);
  serveAction(routes, deps, {
    path: '/admin/instances/:id/drain',
    load,
    step({ instance, all }) {
      const { id, state } = instance;
      const common = { title: `Drain ${id}`, back: '/admin' };
      return state === 'ready' || state === 'not_ready'
        ? { ...common, question: `Drain ${id}?`, effects: drainEffects(instance, all), yes: `Drain ${id}` }
        : { ...common, question: `${id} cannot be drained now`, effects: [`It is ${state}.`] };
    },
    run: (c, { instance }) => instances.drain(c.var.operator, instance.id),
    done(c, { instance: { id, isThis } }) {
      const notice = `${id} is draining.`;
      if (!isThis) return goOn(c, deps, '/admin', notice);
      // This process is about to exit, so a redirect to another page might not be answered.
      return show(c, deps, {
        title: `${id} is draining`,
        main: markup`
          <h1>${notice}</h1>
          <p>It served this page too. The overview comes back as soon as another instance answers here.</p>
          <p><a class="button quiet" href="/admin">Overview</a></p>`,
      });
    },
    refused,
  });
  serveAction(routes, deps, {
    path: '/admin/instances/:id/dismiss',
    load,
    run: (c, { instance }) => instances.dismiss(c.var.operator, instance.id),
    done: (c, { instance: { id } }) =>
      goOn(c, deps, '/admin', `${id} is not shown any more. If it comes back, it is listed again.`),
    refused,
  });
  return routes;
}

export function drainEffects(instance: InstanceStatus, all: readonly InstanceStatus[]): string[] {
  const { id } = instance;
  const others = all.filter((other) => other.id !== id && other.state === 'ready').length;
  const load = 'load' in instance ? instance.load : undefined;
  const packages = formatQuantity(load?.packages ?? 0, 'package');
  const viewers = formatQuantity(load?.sockets ?? 0, 'viewer');
  const reconnect = `${viewers} ${load?.sockets === 1 ? 'reconnects' : 'reconnect'}`;
  const start = 'Its process then ends, and can be started again.';
  if (others === 0) {
    return [
      `${id} is the only instance: nobody can take over its ${packages}.`,
      'The sale stops for everybody until an instance is started. No order is lost.',
      start,
    ];
  }
  return [
    `${id} hands over ${packages} to ${formatQuantity(others, 'other')}; ${reconnect}.`,
    `The new owners carry on with ${formatQuantity(load?.sagas ?? 0, 'booking')} under way. No order is lost.`,
    start,
  ];
}

export const instancesElementId = 'admin-instances';

const columns: readonly Column[] = [
  { name: 'instance', label: 'Instance' },
  { name: 'state', label: 'State' },
  { name: 'load', label: 'Packages', isNumeric: true },
  { name: 'load', label: 'Orders / s', isNumeric: true },
  { name: 'load', label: 'Mailbox', isNumeric: true },
  { name: 'load', label: 'Sagas', isNumeric: true },
  { name: 'load', label: 'Viewers', isNumeric: true },
  { name: 'load', label: 'Loop lag', isNumeric: true },
  { name: 'load', label: 'Memory', isNumeric: true },
  { name: 'action', label: 'Actions', isUnlabelled: true },
];

/** The table of instances and their load. */
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
  const orDash = (words: string | undefined) => words ?? dash();
  return markup`
    <tr role="row" id="admin-instance-${id}" class="instance">
      ${headCell(markup`
        <span class="row-name">${id}</span>
        <span class="under">${state === 'lost' ? '' : version}${isThis ? ' · shows this page' : ''}</span>`)}
      ${cell('State', markup`<span class="state state-${tones[state]}">${stateWords[state]}</span><span class="under">${sinceWords(instance, now)}</span>`, 'wide')}
      ${numberCell('Packages', orDash(state === 'lost' ? `had ${formatCount(instance.packages)}` : load && formatCount(load.packages)))}
      ${numberCell('Orders / s', orDash(load && rateWords(load.purchasesPerS)))}
      ${numberCell('Mailbox', orDash(load && formatCount(load.mailbox)))}
      ${numberCell('Sagas', orDash(load && formatCount(load.sagas)))}
      ${numberCell('Viewers', orDash(load && formatCount(load.sockets)))}
      ${numberCell('Loop lag', orDash(load && msWords(load.eventLoopLagMs)))}
      ${numberCell('Memory', orDash(load && memoryWords(load.rssBytes)))}
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
      <form method="post" action="/admin/instances/${encodeURIComponent(id)}/dismiss" data-changes>
        <button class="small-button" type="submit">Dismiss${unseen}</button>
      </form>`;
  }
  if (state !== 'ready' && state !== 'not_ready') return '';
  return markup`<a class="small-button" data-changes href="/admin/instances/${id}/drain">Drain${unseen}</a>`;
}

const tones = { ready: 'good', not_ready: 'bad', draining: 'wait', silent: 'bad', lost: 'bad' } as const;
const stateWords = {
  ready: 'Ready',
  not_ready: 'Not ready',
  draining: 'Draining',
  silent: 'Silent',
  lost: 'Lost',
} as const;
