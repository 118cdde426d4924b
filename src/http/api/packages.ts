import type { Context, Hono } from 'hono';
import { isListed } from '../../domain/travel-package.ts';
import type { AppServices } from '../app-services.ts';
import { packageIdFrom } from '../inputs.ts';
import { sendJson } from '../json.ts';
import { limited } from '../limits.ts';
import { serveRoutes } from '../methods.ts';
import { problem } from '../problem.ts';
import { packageView } from './views.ts';

type Services = Pick<AppServices, 'engine' | 'limits'>;

/** `GET /api/packages` and `GET /api/packages/:id`: the packages with their current inventory. */
export function packageRoutes({ engine, limits }: Services): Hono {
  const showAll = async () =>
    sendJson(200, { packages: (await engine.packages()).filter(isListed).map(packageView) });
  const showOne = async (c: Context) => {
    const id = packageIdFrom(c.req.param('id') ?? '');
    const snapshot = id === undefined ? undefined : await engine.package(id);
    return snapshot ? sendJson(200, packageView(snapshot)) : problem(c, 'unknown_package');
  };
  return serveRoutes({
    '/': { GET: limited(limits?.read, showAll) },
    '/:id': { GET: limited(limits?.read, showOne) },
  });
}
