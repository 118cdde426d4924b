import { Hono, type MiddlewareHandler } from 'hono';
import type { AppServices, OperatorAccess } from '../../http/app-services.ts';
import { bindings } from '../../http/bindings.ts';
import { allowOnlyOnPage, isSafeMethod } from '../../http/methods.ts';
import type { RenderContext } from '../../http/pages/layout.ts';
import { onError, type SendProblem } from '../../http/problem.ts';
import { pageSecurity, sameOriginOnly } from '../../http/security.ts';
import { fanoutDefaults } from '../../realtime/fanout.ts';
import type { LiveAdmin } from '../../realtime/routes.ts';
import type { HttpAdmin } from '../admin-auth.ts';
import {
  type AdminContext,
  type AdminDeps,
  type AdminEnv,
  adminRouter,
  adminSetting,
  show,
  showProblem,
  showSendAgain,
} from './context.ts';
import { deadLetterRoutes } from './dead-letter-routes.ts';
import { eraseRoutes } from './erase-routes.ts';
import { exportRoutes } from './export-routes.ts';
import { AdminFeed, type FeedOptions } from './feed.ts';
import { instanceRoutes } from './instances.ts';
import { logRoutes } from './log.ts';
import { askToLogIn, logInRoutes, logOutRoutes } from './log-in.ts';
import { orderRoutes } from './order-routes.ts';
import { OverviewReader } from './overview.ts';
import { overviewFragments, overviewPage, packagesFragment } from './overview-page.ts';
import { packageActionRoutes } from './package-actions.ts';
import { packageRoutes } from './package-routes.ts';
import { PackageRows } from './package-rows.ts';

/** The admin pages and their live updates. */
export interface Admin {
  /** The routes, to be mounted at `/`. */
  readonly routes: Hono;
  /** The live updates of the topic `admin`. */
  readonly live: LiveAdmin;
}

const feedDefaults: FeedOptions = {
  ...fanoutDefaults,
  everyMs: 1000,
  proveEveryMs: 5000,
  shutdownGraceMs: 1000,
};

/** Undefined if no operator is configured. In that case no admin page exists. */
export function createAdmin(
  deps: AppServices & { readonly admin?: HttpAdmin },
  assetUrl: RenderContext['assetUrl'],
  options: Partial<FeedOptions> = {},
): Admin | undefined {
  if (deps.admin === undefined) return undefined;
  const { service, auth } = deps.admin;
  const { clock, log, settings } = deps;
  const rows = new PackageRows(settings.currency, fanoutDefaults);
  const overview = new OverviewReader({ service, clock });
  const adminDeps: AdminDeps = { ...deps, service, auth, overview, rows, assetUrl };
  const feed = new AdminFeed({ overview, clock, log, rows }, { ...feedDefaults, ...options });
  return {
    routes: adminRoutes(adminDeps),
    live: {
      async admit({ cookie }) {
        const stillMay = async () => (await auth.watcher(cookie)) !== undefined;
        return (await stillMay()) ? stillMay : undefined;
      },
      join: (viewer, stillMay, ids) => feed.join(viewer, stillMay, ids),
      stop: () => feed.stop(),
      get viewers() {
        return feed.viewers;
      },
    },
  };
}

/**
 * The admin pages, to be mounted at `/`. They set their own security headers, refuse forms of other sites, and show
 * nothing to browsers that are not signed in.
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
  const watchersOnly: MiddlewareHandler<AdminEnv> = async (c, next) => {
    const watcher = await deps.auth.watcher(c.req.header('cookie'));
    if (watcher === undefined) return askToLogIn(c, deps);
    admit(c, watcher);
    return next();
  };
  routes.get('/admin', watchersOnly, async (c) => {
    const overview = await deps.overview.read();
    const rows = await deps.rows.draw(overview.packages, overview.now);
    return show(c, deps, overviewPage(adminSetting(c, deps), overview, rows));
  });
  routes.get('/admin/fragments', watchersOnly, async (c) => {
    const overview = await deps.overview.read();
    const rows = await deps.rows.draw(overview.packages, overview.now);
    // In HTML a table row cannot stand alone, so the whole table is sent.
    const fragments = [packagesFragment(rows), ...overviewFragments(overview)];
    c.header('Cache-Control', 'no-store');
    return c.html(fragments.map(({ text }) => text).join(''));
  });
  // The routes below show emails or change something, so they require a session that is known to be valid.
  for (const path of ['/admin', '/admin/*']) routes.use(path, signedInOnly(deps));
  routes.route('/', logOutRoutes(deps));
  routes.route('/', packageActionRoutes(deps));
  routes.route('/', packageRoutes(deps));
  routes.route('/', instanceRoutes(deps));
  routes.route('/', orderRoutes(deps));
  routes.route('/', logRoutes(deps));
  routes.route('/', eraseRoutes(deps));
  routes.route('/', deadLetterRoutes(deps));
  routes.route('/', exportRoutes(deps));
  for (const [path, methods] of methodsByPath([...logInRoutes(deps).routes, ...routes.routes])) {
    routes.all(path, allowOnlyOnPage(...methods));
  }
  routes.all('/admin/*', (c) => showProblem(c, deps, 'unknown_route'));
  return routes;
}

/** The forms of operators who may only read: they change nothing but the operator's own session. */
const formsOfReaders: ReadonlySet<string> = new Set(['/admin/log-out', '/admin/orders/search']);

/** Admits operators with a valid session, and to the forms of {@link formsOfReaders} also those who may only read. */
function signedInOnly(deps: AdminDeps): MiddlewareHandler<AdminEnv> {
  return async (c, next) => {
    const access = await deps.auth.access(c.req.header('cookie'), bindings(c).incoming);
    if (access === undefined) return askToLogIn(c, deps);
    admit(c, access);
    if (!isSafeMethod(c.req.method) && !formsOfReaders.has(c.req.path)) deps.auth.requireChange(access);
    return next();
  };
}

function admit(c: AdminContext, { operator, mayChange }: OperatorAccess): void {
  c.set('operator', operator);
  c.set('mayChange', mayChange);
}

/** The methods that the pages serve, by path. */
function methodsByPath(
  registered: readonly { readonly path: string; readonly method: string }[],
): ReadonlyMap<string, readonly string[]> {
  const methods = new Map<string, string[]>();
  for (const { path, method } of registered) {
    const known = methods.get(path) ?? [];
    if (method !== 'ALL' && !known.includes(method)) methods.set(path, [...known, method].sort());
  }
  return methods;
}
