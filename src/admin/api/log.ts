import { Hono } from 'hono';
import { readJson } from '../../http/body.ts';
import { sendJson } from '../../http/json.ts';
import { allowOnly } from '../../http/methods.ts';
import { type AdminApiDeps, type AdminApiEnv, adminApi, done, readQuery } from './context.ts';
import { changesQuery, eraseBody } from './requests.ts';
import { changeView } from './views.ts';

/** `GET /api/admin/changes`, what operators have changed, and `POST /api/admin/erase`. */
export function logRoutes(deps: AdminApiDeps): Hono<AdminApiEnv> {
  const { service } = deps;
  const guarded = adminApi(deps);
  return new Hono<AdminApiEnv>()
    .get('/changes', guarded, async (c) => {
      const { cursor, limit } = readQuery(c, changesQuery);
      const { items, next } = await service.changes(cursor, limit);
      const shown = { changes: items.map(changeView) };
      return sendJson(200, next === undefined ? shown : { ...shown, next });
    })
    .all('/changes', guarded, allowOnly('GET'))
    .post('/erase', guarded, async (c) => {
      const { email } = await readJson(c, eraseBody);
      return sendJson(200, done(await service.erase(c.var.operator, email)));
    })
    .all('/erase', guarded, allowOnly('POST'));
}
