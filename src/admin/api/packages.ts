import { Hono } from 'hono';
import { readJson } from '../../http/body.ts';
import { sendJson } from '../../http/json.ts';
import { allowOnly } from '../../http/methods.ts';
import { ProblemError } from '../../http/problem.ts';
import {
  type AdminApiContext,
  type AdminApiDeps,
  type AdminApiEnv,
  adminApi,
  done,
  packageIdOf,
  readQuery,
} from './context.ts';
import { amendmentBody, newPackageBody, packagesQuery } from './requests.ts';
import { managedPackageView, packageStatusView } from './views.ts';

/** `/api/admin/packages`: what is on sale, and how it is changed. */
export function packageRoutes(deps: AdminApiDeps): Hono<AdminApiEnv> {
  const { service } = deps;
  const pause = (paused: boolean) => async (c: AdminApiContext) =>
    sendJson(200, managedPackageView(done(await service.pause(c.var.operator, packageIdOf(c), paused))));
  return new Hono<AdminApiEnv>()
    .use(adminApi(deps))
    .get('/', async (c) => {
      const { archived = false } = readQuery(c, packagesQuery);
      const packages = (await service.packages()).filter(
        ({ package: each }) => (each.archived === true) === archived,
      );
      return sendJson(200, { packages: packages.map(packageStatusView) });
    })
    .post('/', async (c) => {
      const wish = await readJson(c, newPackageBody);
      refuseBackwards(wish);
      const created = done(await service.create(c.var.operator, wish));
      return sendJson(201, managedPackageView(created), { Location: `/api/admin/packages/${created.id}` });
    })
    .all('/', allowOnly('GET', 'POST'))
    .get('/:id', async (c) => {
      const status = await service.package(packageIdOf(c));
      if (status === undefined) throw new ProblemError('unknown_package');
      return sendJson(200, packageStatusView(status));
    })
    .patch('/:id', async (c) => {
      const id = packageIdOf(c);
      const change = await readJson(c, amendmentBody);
      refuseBackwards(change);
      return sendJson(200, managedPackageView(done(await service.amend(c.var.operator, id, change))));
    })
    .delete('/:id', async (c) => {
      done(await service.remove(c.var.operator, packageIdOf(c)));
      return c.body(null, 204);
    })
    .all('/:id', allowOnly('GET', 'PATCH', 'DELETE'))
    .post('/:id/archive', async (c) =>
      sendJson(200, managedPackageView(done(await service.archive(c.var.operator, packageIdOf(c))))),
    )
    .all('/:id/archive', allowOnly('POST'))
    .post('/:id/pause', pause(true))
    .all('/:id/pause', allowOnly('POST'))
    .post('/:id/resume', pause(false))
    .all('/:id/resume', allowOnly('POST'));
}

/** What can be seen without the package, so that the answer names the member. */
function refuseBackwards({ opensAt, closesAt }: { opensAt?: number | null; closesAt?: number | null }): void {
  if (typeof opensAt !== 'number' || typeof closesAt !== 'number' || opensAt < closesAt) return;
  throw new ProblemError('invalid', { errors: [{ path: 'closesAt', message: 'must be after opensAt' }] });
}
