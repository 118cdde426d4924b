import { Hono } from 'hono';
import type { AppDeps } from '../deps.ts';
import { allowOnlyOnPage } from '../methods.ts';
import { onError, type ShowProblem } from '../problem.ts';
import { pageSecurity, sameOriginOnly } from '../security.ts';
import { orderPages } from './order-routes.ts';
import type { PageDeps } from './page-kit.ts';
import { queryPages } from './query-routes.ts';
import { resultPages } from './result-routes.ts';
import { SentOrderFinder } from './sent-orders.ts';
import { problemPages } from './storm-pages.ts';

const paths = ['/', '/order', '/order/*', '/order-queue', '/orders/*', '/query'];

const methods: Readonly<Record<string, readonly string[]>> = {
  '/': ['GET'],
  '/order': ['GET', 'POST'],
  '/order/fragments': ['GET'],
  '/order/sent': ['POST'],
  '/order-queue': ['GET', 'POST'],
  '/orders/:id': ['GET'],
  '/orders/:id/fragment': ['GET'],
  '/orders/:id/cancel': ['POST'],
  '/query': ['GET', 'POST'],
};

/**
 * The customers' pages, to be mounted at `/`. They bring their own security headers and refuse forms of other
 * sites; what goes wrong in them is shown as a page.
 * `assetUrl` gives the address of a file of `public/` or of htmx.
 */
export function pageRoutes(deps: AppDeps, assetUrl: (name: string) => string): Hono {
  const pageDeps: PageDeps = { ...deps, assetUrl };
  const sent = new SentOrderFinder(pageDeps);
  const routes = new Hono();
  for (const path of paths) routes.use(path, pageSecurity(), sameOriginOnly(deps.settings));
  routes.get('/', (c) => c.redirect('/order', 302));
  routes.route('/', orderPages(pageDeps, sent));
  routes.route('/', resultPages(pageDeps));
  routes.route('/', queryPages(pageDeps, sent));
  for (const [path, allowed] of Object.entries(methods)) routes.all(path, allowOnlyOnPage(...allowed));
  routes.onError(onError(deps.log, showProblemPage(pageDeps)));
  return routes;
}

/** Shows any problem as a page, for who asks for HTML. */
export function showProblemPage(deps: PageDeps): ShowProblem {
  const send = problemPages(deps);
  return (c, code, extra) => {
    for (const [name, value] of Object.entries(extra?.headers ?? {})) c.header(name, value);
    return send(c, code, extra?.retryAfterS);
  };
}
