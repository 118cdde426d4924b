import type { Hono } from 'hono';
import type { AppServices } from '../../http/app-services.ts';
import type { RenderContext } from '../../http/pages/layout.ts';
import { fanoutDefaults } from '../../realtime/fanout.ts';
import type { LiveAdmin } from '../../realtime/routes.ts';
import { type HttpAdmin, mayWatch } from '../admin-auth.ts';
import type { AdminDeps } from './context.ts';
import { AdminFeed, type FeedOptions } from './feed.ts';
import { OverviewReader } from './overview.ts';
import { PackageRows } from './package-rows.ts';
import { adminRoutes } from './routes.ts';

/** The operators' side of the app. */
export interface Admin {
  /** To be mounted at `/`. */
  readonly routes: Hono;
  /** For the topic `admin`. */
  readonly live: LiveAdmin;
}

const feedDefaults: FeedOptions = {
  ...fanoutDefaults,
  everyMs: 1000,
  proveEveryMs: 5000,
  farewellGraceMs: 1000,
};

/** Composes it; undefined where there is no admin token, and then nothing of it is served. */
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
        const stillMay = () => mayWatch(auth, cookie);
        return (await stillMay()) ? stillMay : undefined;
      },
      join: (viewer, stillMay) => feed.join(viewer, stillMay),
      stop: () => feed.stop(),
      get viewers() {
        return feed.viewers;
      },
    },
  };
}
