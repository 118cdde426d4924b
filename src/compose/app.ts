import { type Context, Hono } from 'hono';
import type { HttpAdmin } from '../admin/admin-auth.ts';
import { adminApiRoutes } from '../admin/api/routes.ts';
import { createAdmin } from '../admin/pages/routes.ts';
import { orderRoutes, packageOrderRoutes } from '../http/api/orders.ts';
import { packageRoutes } from '../http/api/packages.ts';
import { paymentEventRoutes } from '../http/api/payment-events.ts';
import { supplierRoutes } from '../http/api/suppliers.ts';
import type { AppServices } from '../http/app-services.ts';
import { createAssets } from '../http/assets.ts';
import { compressPages } from '../http/compression.ts';
import { FixedPathRouter } from '../http/fixed-path-router.ts';
import { healthRoutes } from '../http/health.ts';
import { checkoutRoutes } from '../http/pages/checkout.ts';
import { rememberLanguage } from '../http/pages/language.ts';
import { showProblemPage } from '../http/pages/problem-pages.ts';
import { pageRoutes } from '../http/pages/routes.ts';
import { onError, problem } from '../http/problem.ts';
import { pageSecurity } from '../http/security.ts';
import { metricsRoutes } from '../http/telemetry/metrics-route.ts';
import { defined } from '../lib/defined.ts';
import { descriptionRoutes } from '../openapi/routes.ts';
import { createLive, type Live } from '../realtime/routes.ts';

interface App {
  readonly app: Hono;
  /** The WebSockets, to be attached to the server. */
  readonly live: Live;
}

/** Composes all routes. The routes of the API come first and have no middleware; pages have their own. */
export function createApp(deps: AppServices & { readonly admin?: HttpAdmin }): App {
  const assets = createAssets({ hasAdmin: deps.admin !== undefined });
  const admin = createAdmin(deps, assets.url);
  const live = createLive({ ...deps, ...defined({ operators: admin?.live }) });
  const app = new Hono({ router: new FixedPathRouter() });
  app.route('/api/orders', orderRoutes(deps));
  app.route('/api/packages', packageRoutes(deps));
  app.route('/api/packages', packageOrderRoutes(deps));
  app.route('/api/suppliers', supplierRoutes(deps));
  app.route('/api/payments', paymentEventRoutes(deps));
  app.route('/api/admin', adminApiRoutes(deps));
  app.all('/api/*', (c) => problem(c, 'unknown_route'));
  if (deps.payments?.simulated !== undefined)
    app.route('/checkout', checkoutRoutes(deps.payments.simulated, deps.settings, deps.limits));
  app.route('/', healthRoutes(deps));
  app.route('/', metricsRoutes(deps));
  app.route('/', live.routes);
  app.route('/', assets.routes);
  app.use(compressPages);
  app.route('/', descriptionRoutes(deps, assets.url));
  app.route('/', pageRoutes(deps, assets.url));
  if (admin !== undefined) app.route('/', admin.routes);
  app.use(pageSecurity(), rememberLanguage(deps.settings));
  app.all('*', nothingHere(deps, assets.url));
  app.onError(onError(deps.log));
  app.notFound((c) => problem(c, 'unknown_route'));
  return { app, live };
}

/** Answers a request for an unknown URL: browsers get a page, programs get a problem. */
function nothingHere(deps: AppServices, assetUrl: (name: string) => string) {
  const showPage = showProblemPage({ ...deps, assetUrl });
  return (c: Context) => {
    const isBrowser = (c.req.header('accept') ?? '').includes('text/html');
    return (isBrowser ? showPage : problem)(c, 'unknown_route');
  };
}
