import { type Context, Hono } from 'hono';
import type { AppServices } from '../app-services.ts';
import { serveRoutes } from '../methods.ts';
import { onError } from '../problem.ts';
import { pageSecurity, sameOriginOnly } from '../security.ts';
import { rememberLanguage } from './language.ts';
import { LostOrderFinder } from './lost-orders.ts';
import { orderPages } from './order-routes.ts';
import { showProblemPage } from './problem-pages.ts';
import { queryPages } from './query-pages.ts';
import type { PageServices } from './responses.ts';
import { resultPages } from './result-routes.ts';

const paths = ['/', '/order', '/order/*', '/order-queue', '/orders/*', '/query'];
/** The paths of whole pages. The others are of fragments and forms. */
const wholePages = ['/', '/order', '/order-queue', '/orders/:id', '/query'];

/**
 * The routes of the customers' pages, mounted at `/`. The pages set their own security headers, refuse forms of other
 * sites, and show errors as pages.
 * @param assetUrl returns the URL of an asset.
 */
export function pageRoutes(services: AppServices, assetUrl: (name: string) => string): Hono {
  const pageServices: PageServices = { ...services, assetUrl };
  const sent = new LostOrderFinder(pageServices);
  const show = showProblemPage(pageServices);
  const routes = new Hono();
  for (const path of paths) routes.use(path, pageSecurity(), sameOriginOnly(services.settings));
  for (const path of wholePages) routes.use(path, rememberLanguage(services.settings));
  const table = {
    '/': { GET: (c: Context) => c.redirect('/order', 302) },
    ...orderPages(pageServices, sent, show),
    ...resultPages(pageServices, show),
    ...queryPages(pageServices, sent, show),
  };
  routes.route('/', serveRoutes(table, show));
  routes.onError(onError(services.log, show));
  return routes;
}
