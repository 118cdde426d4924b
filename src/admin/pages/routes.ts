import { Hono, type MiddlewareHandler } from 'hono';
import { incomingRequest } from '../../http/limits.ts';
import { allowOnlyOnPage } from '../../http/methods.ts';
import { onError, type SendProblem } from '../../http/problem.ts';
import { pageSecurity, sameOriginOnly } from '../../http/security.ts';
import { mayWatch } from '../admin-auth.ts';
import { type AdminDeps, type AdminEnv, adminRouter, adminSetting, show, showProblem } from './context.ts';
import { eraseRoutes } from './erase-routes.ts';
import { instanceRoutes } from './instances.ts';
import { askToLogIn, logInRoutes, logOutRoutes } from './log-in-routes.ts';
import { logRoutes } from './log-routes.ts';
import { orderRoutes } from './order-routes.ts';
import { overviewFragments, overviewPage, packagesFragment } from './overview-page.ts';
import { packageActionRoutes } from './package-actions.ts';
import { packageRoutes } from './package-routes.ts';
import { showSendAgain } from './send-again.ts';

const methods: Readonly<Record<string, readonly string[]>> = {
  '/admin': ['GET'],
  '/admin/fragments': ['GET'],
  '/admin/log-in': ['POST'],
  '/admin/log-out': ['POST'],
  '/admin/packages': ['POST'],
  '/admin/packages/new': ['GET'],
  '/admin/packages/archived': ['GET'],
  '/admin/packages/:id': ['GET', 'POST'],
  '/admin/packages/:id/quota': ['GET', 'POST'],
  '/admin/packages/:id/pause': ['GET', 'POST'],
  '/admin/packages/:id/resume': ['GET', 'POST'],
  '/admin/packages/:id/archive': ['GET', 'POST'],
  '/admin/packages/:id/delete': ['GET', 'POST'],
  '/admin/instances/:id/drain': ['GET', 'POST'],
  '/admin/instances/:id/dismiss': ['POST'],
  '/admin/orders': ['GET'],
  '/admin/orders/search': ['GET', 'POST'],
  '/admin/orders/:id': ['GET'],
  '/admin/orders/:id/retry': ['POST'],
  '/admin/orders/:id/cancel': ['GET', 'POST'],
  '/admin/log': ['GET'],
  '/admin/erase': ['GET', 'POST'],
};

/**
 * The operators' pages, to be mounted at `/`; not mounted at all where there is no admin token. They bring their own
 * security headers, refuse forms of other sites, and show nothing to who is not signed in.
 */
export function adminRoutes(deps: AdminDeps): Hono {
  const routes = new Hono();
  for (const path of ['/admin', '/admin/*']) {
    routes.use(path, pageSecurity(), sameOriginOnly(deps.settings));
  }
  routes.route('/', logInRoutes(deps));
  routes.route('/', behindLogIn(deps) as unknown as Hono);
  const explain: SendProblem = (c, code, extra) =>
    code === 'store_unavailable' && c.req.method === 'POST'
      ? showSendAgain(c, deps)
      : showProblem(c, deps, code, extra);
  routes.onError(onError(deps.log, explain));
  return routes;
}

function behindLogIn(deps: AdminDeps): Hono<AdminEnv> {
  const routes = adminRouter();
  const watchersOnly: MiddlewareHandler<AdminEnv> = async (c, next) =>
    (await mayWatch(deps.auth, c.req.header('cookie'))) ? next() : askToLogIn(c, deps);
  routes.get('/admin', watchersOnly, async (c) => {
    const overview = await deps.overview.read();
    const rows = await deps.rows.draw(overview.packages, overview.now);
    return show(c, deps, overviewPage(adminSetting(deps), overview, rows));
  });
  routes.get('/admin/fragments', watchersOnly, async (c) => {
    const overview = await deps.overview.read();
    const rows = await deps.rows.draw(overview.packages, overview.now);
    // A row cannot stand alone in HTML: the table comes as a whole.
    const fragments = [packagesFragment(rows), ...overviewFragments(overview)];
    c.header('Cache-Control', 'no-store');
    return c.html(fragments.map(({ html }) => html).join(''));
  });
  // What follows shows emails, or changes something.
  for (const path of ['/admin', '/admin/*']) routes.use(path, signedInOnly(deps));
  routes.route('/', logOutRoutes(deps));
  routes.route('/', packageActionRoutes(deps));
  routes.route('/', packageRoutes(deps));
  routes.route('/', instanceRoutes(deps));
  routes.route('/', orderRoutes(deps));
  routes.route('/', logRoutes(deps));
  routes.route('/', eraseRoutes(deps));
  for (const [path, allowed] of Object.entries(methods)) routes.all(path, allowOnlyOnPage(...allowed));
  routes.all('/admin/*', (c) => showProblem(c, deps, 'unknown_route'));
  return routes;
}

function signedInOnly(deps: AdminDeps): MiddlewareHandler<AdminEnv> {
  return async (c, next) => {
    const operator = await deps.auth.operator(c.req.header('cookie'), incomingRequest(c));
    if (operator === undefined) return askToLogIn(c, deps);
    c.set('operator', operator);
    return next();
  };
}
