import { Hono } from 'hono';
import type { AppDeps } from '../deps.ts';
import { onError, type ShowProblem } from '../problem.ts';
import { pageSecurity, sameOriginOnly } from '../security.ts';
import { orderPages } from './order-routes.ts';
import { type PageDeps, pageSetting, sendErrorPage } from './page-kit.ts';
import { problemPage } from './problem-page.ts';
import { queryPages } from './query-routes.ts';
import { resultPages } from './result-routes.ts';

const paths = ['/', '/order', '/order/*', '/order-queue', '/orders/*', '/query'];

/**
 * The customers' pages, to be mounted at `/`. They bring their own security headers and refuse forms of other
 * sites; what goes wrong in them is shown as a page.
 * `assetUrl` gives the address of a file of `public/` or of htmx.
 */
export function pageRoutes(deps: AppDeps, assetUrl: (name: string) => string): Hono {
  const pageDeps: PageDeps = { ...deps, assetUrl };
  const routes = new Hono();
  for (const path of paths) routes.use(path, pageSecurity(deps.settings), sameOriginOnly(deps.settings));
  routes.get('/', (c) => c.redirect('/order', 302));
  routes.route('/', orderPages(pageDeps));
  routes.route('/', resultPages(pageDeps));
  routes.route('/', queryPages(pageDeps));
  routes.onError(onError(deps.log, showProblemPage(pageDeps)));
  return routes;
}

/** Shows any problem as a page, for who asks for HTML. */
export function showProblemPage(deps: PageDeps): ShowProblem {
  return (c, code, extra) => sendErrorPage(c, problemPage(pageSetting(deps), code), code, extra?.retryAfterS);
}
