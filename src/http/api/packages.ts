import type { Context, Hono } from 'hono';
import type { z } from 'zod';
import type { PackagesQuery } from '../../engine/engine.ts';
import { defined } from '../../lib/defined.ts';
import type { AppServices } from '../app-services.ts';
import { packageIdFrom, packagesMax, packagesQuery } from '../inputs.ts';
import { sendJson } from '../json.ts';
import { limited } from '../limits.ts';
import { serveRoutes } from '../methods.ts';
import { problem } from '../problem.ts';
import { readQuery } from '../request.ts';
import { packageView } from './views.ts';

type Services = Pick<AppServices, 'engine' | 'limits'>;

/** `GET /api/packages` and `GET /api/packages/:id`: the packages with their current inventory. */
export function packageRoutes({ engine, limits }: Services): Hono {
  const showPage = async (c: Context) => {
    const query = pageOf(readQuery(c, packagesQuery));
    const { items, next } = await engine.packages({ group: 'listed', ...query });
    return sendJson(200, { packages: items.map(packageView), ...defined({ next: next?.toString() }) });
  };
  const showOne = async (c: Context) => {
    const id = packageIdFrom(c.req.param('id') ?? '');
    const snapshot = id === undefined ? undefined : await engine.package(id);
    return snapshot ? sendJson(200, packageView(snapshot)) : problem(c, 'unknown_package');
  };
  return serveRoutes({
    '/': { GET: limited(limits?.read, showPage) },
    '/:id': { GET: limited(limits?.read, showOne) },
  });
}

/** The page that the query of an API asks for. */
export function pageOf({
  limit = packagesMax,
  cursor,
  flight,
}: z.output<typeof packagesQuery>): Omit<PackagesQuery, 'group'> {
  return { limit, flight, from: cursor === undefined ? undefined : { above: cursor } };
}
