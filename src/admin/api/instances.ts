import { Hono } from 'hono';
import { check } from '../../http/body.ts';
import { sendJson } from '../../http/json.ts';
import { allowOnly } from '../../http/methods.ts';
import { ProblemError } from '../../http/problem.ts';
import { type AdminApiDeps, type AdminApiEnv, adminApi, done } from './context.ts';
import { instanceIdInput } from './requests.ts';
import { instanceView } from './views.ts';

/** `/api/admin/instances`: who runs, with what load, and how one is made to leave, or a lost one dismissed. */
export function instanceRoutes(deps: AdminApiDeps): Hono<AdminApiEnv> {
  const { service } = deps;
  return new Hono<AdminApiEnv>()
    .use(adminApi(deps))
    .get('/', async () => sendJson(200, { instances: (await service.instances()).map(instanceView) }))
    .all('/', allowOnly('GET'))
    .post('/:id/drain', async (c) => {
      const id = check(instanceIdInput, c.req.param('id'));
      if ('errors' in id) throw new ProblemError('unknown_instance');
      return sendJson(202, done(await service.drain(c.var.operator, id.value)));
    })
    .all('/:id/drain', allowOnly('POST'))
    .post('/:id/dismiss', async (c) => {
      const id = check(instanceIdInput, c.req.param('id'));
      if ('errors' in id) throw new ProblemError('unknown_instance');
      return sendJson(200, done(await service.dismissInstance(c.var.operator, id.value)));
    })
    .all('/:id/dismiss', allowOnly('POST'));
}
