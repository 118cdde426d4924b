import { Hono } from 'hono';
import type { AppServices } from '../../http/app-services.ts';
import { problem } from '../../http/problem.ts';
import { auditRoutes } from './audit.ts';
import { type AdminApiDeps, type AdminApiEnv, adminApi } from './context.ts';
import { instanceRoutes } from './instances.ts';
import { logRoutes } from './log.ts';
import { orderRoutes } from './orders.ts';
import { packageRoutes } from './packages.ts';

/**
 * `/api/admin/…`: what the operators' pages do, for programs. Where there is no admin token there is nothing here;
 * where there is one, nobody without it is told whether there is.
 */
export function adminApiRoutes({ admin, clock }: Pick<AppServices, 'admin' | 'clock'>): Hono<AdminApiEnv> {
  const routes = new Hono<AdminApiEnv>();
  if (admin === undefined) return routes;
  const deps: AdminApiDeps = { ...admin, clock };
  routes.route('/packages', packageRoutes(deps));
  routes.route('/instances', instanceRoutes(deps));
  routes.route('/orders', orderRoutes(deps));
  routes.route('/audit', auditRoutes(deps));
  routes.route('/', logRoutes(deps));
  routes.all('*', adminApi(deps), (c) => problem(c, 'unknown_route'));
  return routes;
}
