import type { Hono } from 'hono';
import { type Html, markup } from '../../http/pages/markup.ts';
import type { Json } from '../../lib/json.ts';
import type { OperatorAction, OperatorEvent } from '../../storage/operator-log.ts';
import { changesQuery } from '../api/requests.ts';
import { type Change, changesOf, isRemoval, packageIdOf } from './changes.ts';
import { type AdminDeps, type AdminEnv, adminRouter, show } from './context.ts';
import { formatCount, formatDateTime, formatTime } from './format.ts';
import { type Column, cell, dash, headCell, table } from './fragments/table.ts';
import { heading } from './layout.ts';

const eventsShown = 50;

/** `/admin/log`: the change log, newest first. */
export function logRoutes(deps: AdminDeps): Hono<AdminEnv> {
  return adminRouter().get('/admin/log', async (c) => {
    const query = changesQuery.safeParse({ cursor: c.req.query('cursor') });
    const cursor = query.success ? query.data.cursor : undefined;
    const { items, next } = await deps.service.changes.list(cursor, eventsShown);
    const older = new URLSearchParams({ cursor: next ?? '' });
    return show(c, deps, {
      title: 'Log',
      current: 'log',
      main: markup`
        ${heading('Log')}
        ${logTable(items)}
        <p class="field-note">All times are UTC. Emails are kept as a keyed hash.</p>
        ${next === undefined ? '' : markup`<p><a class="button quiet" href="/admin/log?${older.toString()}">Older</a></p>`}`,
    });
  });
}

export const logElementId = 'admin-log';

const columns: readonly Column[] = [
  { name: 'when', label: 'When' },
  { name: 'who', label: 'Who' },
  { name: 'what', label: 'What' },
  { name: 'change', label: 'Before → after' },
  { name: 'outcome', label: 'Outcome' },
];

/** The table of changes. */
export function logTable(events: readonly OperatorEvent[], id?: string): Html {
  return table({
    ...(id === undefined ? {} : { id }),
    caption: 'Changes by operators',
    columns,
    rows: events.map(eventRow),
    empty: 'Nobody has changed anything yet.',
  });
}

function eventRow(event: OperatorEvent): Html {
  const { id, at, by, outcome, code } = event;
  const tone = { done: 'good', open: 'wait', refused: 'rest', failed: 'bad' }[outcome];
  return markup`
    <tr role="row" id="admin-event-${id}" class="event">
      ${headCell(markup`<time datetime="${new Date(at).toISOString()}">${formatTime(at)} <span class="under">${formatDateTime(at).split(',')[0]}</span></time>`)}
      ${cell('Who', markup`<span>${by.name}</span><span class="under">${by.via === 'session' ? 'in a browser' : 'with the token'}${by.address === undefined ? '' : `, ${by.address}`}</span>`)}
      ${cell('What', markup`<span>${actionWords[event.action]}</span><span class="under">${targetOf(event)}</span>`)}
      ${changesCell(changesOf(event), isRemoval(event))}
      ${cell('Outcome', markup`<span class="state state-${tone}">${outcome}</span>${code === undefined ? '' : markup`<span class="under">${code}</span>`}`)}
    </tr>`;
}

const actionWords: Readonly<Record<OperatorAction, string>> = {
  'package.create': 'Created a package',
  'package.amend': 'Changed a package',
  'package.pause': 'Paused a package',
  'package.resume': 'Resumed a package',
  'package.archive': 'Archived a package',
  'package.delete': 'Deleted a package',
  'order.retry': 'Retried an order',
  'order.cancel': 'Cancelled an order',
  'email.erase': 'Erased an email',
  'notice.retry': 'Retried mails or webhooks',
  'notice.discard': 'Discarded mails or webhooks',
  'instance.drain': 'Drained an instance',
  'instance.dismiss': 'Dismissed a lost instance',
  'session.start': 'Logged in',
  'session.end': 'Logged out',
};

function targetOf(event: OperatorEvent): Html {
  const { target, instance: asked } = event;
  const { orderId, instance, emailHash } = target;
  // The id of an order is more specific than the id of its package.
  const packageId = event.action.startsWith('package.') ? packageIdOf(event) : target.packageId;
  if (orderId !== undefined) return markup`<a href="/admin/orders/${orderId}">${orderId}</a>`;
  if (packageId !== undefined) return markup`<a href="/admin/packages/${packageId}">package ${packageId}</a>`;
  if (emailHash !== undefined) return markup`hash ${emailHash.slice(0, 12)}`;
  return markup`${instance ?? `at ${asked}`}`;
}

function changesCell(changes: readonly Change[], isRemoved: boolean): Html {
  if (changes.length === 0) return cell('Change', dash(), 'wide bare');
  const list = markup`
    <ul class="changes">${changes.map(
      ({ name, before, after }) => markup`
        <li>${name} ${before === undefined ? '' : markup`<span class="was" dir="auto">${valueWords(name, before)}</span>${isRemoved ? '' : ' → '}`}${isRemoved ? '' : markup`<b dir="auto">${valueWords(name, after)}</b>`}</li>`,
    )}</ul>`;
  return cell('Change', list, 'wide');
}

function valueWords(name: string, value: Json | undefined): string {
  if (value === undefined || value === null) return 'none';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (/At$/.test(name) && typeof value === 'number') return formatDateTime(value);
  if (typeof value === 'number') return formatCount(value);
  return typeof value === 'string' ? value : JSON.stringify(value);
}
