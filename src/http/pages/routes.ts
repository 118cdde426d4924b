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
 * The customers' pages, mounted at `/`. They set their own security headers, refuse forms of other sites, and show errors as
 * pages. `assetUrl` returns the URL of an asset.
 */
export function pageRoutes(services: AppServices, assetUrl: (name: string) => string): Hono {
  const pageServices: PageServices = { ...services, assetUrl };
  const sent = new LostOrderFinder(pageServices);
  const routes = new Hono();
  for (const path of paths) routes.use(path, pageSecurity(), sameOriginOnly(services.settings));
  routes.get('/', (c) => c.redirect('/order', 302));
  routes.route('/', orderPages(pageServices, sent));
  routes.route('/', resultPages(pageServices));
  routes.route('/', queryPages(pageServices, sent));
  for (const [path, allowed] of Object.entries(methods)) routes.all(path, allowOnlyOnPage(...allowed));
  routes.onError(onError(services.log, showProblemPage(pageServices)));
  return routes;
}

/** Sends any problem as a page. */
export function showProblemPage(services: PageServices): SendProblem {
  const send = problemPageSender(services);
  return (c, code, extra) => {
    for (const [name, value] of Object.entries(extra?.headers ?? {})) c.header(name, value);
    return send(c, code, extra?.retryAfterS);
  };
}
