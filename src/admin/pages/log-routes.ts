import type { Hono } from 'hono';
import { markup } from '../../http/pages/markup.ts';
import { changesQuery } from '../api/requests.ts';
import { type AdminDeps, type AdminEnv, adminRouter, show } from './context.ts';
import { logTable } from './fragments/log.ts';
import { heading } from './heading.ts';

const eventsShown = 50;

/** `/admin/log`: what operators did, newest first. */
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
