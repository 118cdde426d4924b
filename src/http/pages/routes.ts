import { Hono } from 'hono';
import type { AppServices } from '../app-services.ts';
import { allowOnlyOnPage } from '../methods.ts';
import { onError, type SendProblem } from '../problem.ts';
import { pageSecurity, sameOriginOnly } from '../security.ts';
import { LostOrderFinder } from './lost-orders.ts';
import { orderPages } from './order-routes.ts';
import { problemPageSender } from './problem-pages.ts';
import { queryPages } from './query-pages.ts';
import type { PageServices } from './responses.ts';
import { resultPages } from './result-routes.ts';

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
export function pageRoutes(deps: AppServices, assetUrl: (name: string) => string): Hono {
  const pageDeps: PageServices = { ...deps, assetUrl };
  const sent = new LostOrderFinder(pageDeps);
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
export function showProblemPage(deps: PageServices): SendProblem {
  const send = problemPageSender(deps);
  return (c, code, extra) => {
    for (const [name, value] of Object.entries(extra?.headers ?? {})) c.header(name, value);
    return send(c, code, extra?.retryAfterS);
  };
}
