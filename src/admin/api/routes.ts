import { type Context, Hono } from 'hono';
import { parseOrderId } from '../../domain/order.ts';
import type { Result } from '../../engine/operated-engine.ts';
import { pageOf } from '../../http/api/packages.ts';
import { orderView } from '../../http/api/views.ts';
import type { HttpSettings, OperatorAccess } from '../../http/app-services.ts';
import { bindings } from '../../http/bindings.ts';
import { packageIdFrom } from '../../http/inputs.ts';
import { sendJson } from '../../http/json.ts';
import { allowOnly } from '../../http/methods.ts';
import { ProblemError, problem } from '../../http/problem.ts';
import { readJson, readQuery } from '../../http/request.ts';
import type { Clock } from '../../lib/clock.ts';
import { defined } from '../../lib/defined.ts';
import type { Log } from '../../observability/log.ts';
import type { Operator } from '../../storage/operator-log.ts';
import type { HttpAdmin } from '../admin-auth.ts';
import type { DeadLetterSelection } from '../dead-letter-service.ts';
import {
  adminOrderView,
  changeView,
  deadLetterView,
  instanceView,
  managedPackageView,
  packageStatusView,
} from './answers.ts';
import { ordersFile, reconciliationFile } from './csv-files.ts';
import {
  auditQuery,
  changesQuery,
  deadLettersBody,
  deadLettersQuery,
  eraseBody,
  exportQuery,
  instanceIdInput,
  newPackageBody,
  ordersQuery,
  ordersSearchBody,
  packagesQuery,
  packageUpdateBody,
} from './requests.ts';
import { sendCsv } from './send-csv.ts';
import { sendSlowJson } from './slow-json.ts';
import { unwrap } from './unwrap.ts';

interface ApiEnv {
  readonly Variables: OperatorAccess;
}

type ApiContext = Context<ApiEnv>;
type Handler = (c: ApiContext) => Promise<Response>;

export interface AdminApiDeps {
  readonly admin?: HttpAdmin;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: Pick<HttpSettings, 'currency'>;
}

/**
 * `/api/admin/…`: the functions of the admin pages as an API. If no operator is configured, every path answers 404. If
 * one is, callers without a token get 401 at every path, also at an unknown path. Operators who may only read get 403 at
 * every method that changes something.
 */
export function adminApiRoutes({ admin, clock, log, settings }: AdminApiDeps): Hono {
  const routes = new Hono<ApiEnv>();
  if (admin === undefined) return routes as unknown as Hono;
  const { packages, orders, instances, eraser, deadLetters, audits, changes } = admin.service;
  routes.use(async (c, next) => {
    const { operator, mayChange } = await admin.auth.identify(c.req.raw, bindings(c).incoming);
    c.set('operator', operator);
    c.set('mayChange', mayChange);
    await next();
  });
  const changing =
    (handler: Handler): Handler =>
    async (c) => {
      admin.auth.requireChange(c.var);
      return handler(c);
    };
  /** Serves a path. Operators who may only read are admitted to the methods in `reads`. */
  const route = (
    path: string,
    handlers: Readonly<Record<string, Handler>>,
    reads: readonly string[] = ['GET'],
  ) => {
    for (const [method, handler] of Object.entries(handlers)) {
      routes.on(method, path, reads.includes(method) ? handler : changing(handler));
    }
    routes.all(path, allowOnly(...Object.keys(handlers)));
  };

  route('/packages', {
    async GET(c) {
      const { archived = false, ...query } = readQuery(c, packagesQuery);
      const { items, next } = await packages.list({
        group: archived ? 'archived' : 'current',
        ...pageOf(query),
      });
      return sendJson(200, {
        packages: items.map(packageStatusView),
        ...defined({ next: next?.toString() }),
      });
    },
    async POST(c) {
      const params = await readJson(c, newPackageBody);
      checkSaleWindow(params);
      const created = unwrap(await packages.create(c.var.operator, params));
      const headers = { Location: `/api/admin/packages/${created.id}` };
      return sendJson(201, managedPackageView(created), headers);
    },
  });
  route('/packages/:id', {
    async GET(c) {
      const status = await packages.get(packageIdOf(c));
      if (status === undefined) throw new ProblemError('unknown_package');
      return sendJson(200, packageStatusView(status));
    },
    async PATCH(c) {
      const id = packageIdOf(c);
      const change = await readJson(c, packageUpdateBody);
      checkSaleWindow(change);
      return sendJson(200, managedPackageView(unwrap(await packages.update(c.var.operator, id, change))));
    },
    async DELETE(c) {
      unwrap(await packages.delete(c.var.operator, packageIdOf(c)));
      return c.body(null, 204);
    },
  });
  const packageActions = {
    archive: (by: Operator, id: number) => packages.archive(by, id),
    pause: (by: Operator, id: number) => packages.setPaused(by, id, true),
    resume: (by: Operator, id: number) => packages.setPaused(by, id, false),
  };
  for (const [name, act] of Object.entries(packageActions)) {
    const POST: Handler = async (c) =>
      sendJson(200, managedPackageView(unwrap(await act(c.var.operator, packageIdOf(c)))));
    route(`/packages/:id/${name}`, { POST });
  }

  route('/instances', {
    GET: async () => sendJson(200, { instances: (await instances.list()).map(instanceView) }),
  });
  route('/instances/:id/drain', {
    POST: async (c) => sendJson(202, unwrap(await instances.drain(c.var.operator, instanceIdOf(c)))),
  });
  route('/instances/:id/dismiss', {
    POST: async (c) => sendJson(200, unwrap(await instances.dismiss(c.var.operator, instanceIdOf(c)))),
  });

  route('/orders', {
    async GET(c) {
      const { package: packageId, ...query } = readQuery(c, ordersQuery);
      const { items, next } = await orders.list({ ...query, ...defined({ packageId }) });
      return sendJson(200, { orders: items.map(adminOrderView), ...defined({ next }) });
    },
  });
  route('/orders.csv', {
    async GET(c) {
      const { package: packageId, ...query } = readQuery(c, exportQuery);
      const open = () => orders.exportPages({ ...query, ...defined({ packageId }) });
      return sendCsv(c, ordersFile(open, settings.currency), { by: c.var.operator, log, clock });
    },
  });
  // A POST, so that no address contains an email. It only reads.
  const searchOrders: Handler = async (c) => {
    const { email, cursor, limit } = await readJson(c, ordersSearchBody);
    const { items, next } = await orders.listByEmail(email, cursor, limit);
    return sendJson(200, { orders: items.map(adminOrderView), ...defined({ next }) });
  };
  route('/orders/search', { POST: searchOrders }, ['POST']);
  route('/orders/:id', {
    async GET(c) {
      const order = await orders.get(orderIdOf(c));
      if (order === undefined) throw new ProblemError('unknown_order');
      return sendJson(200, adminOrderView(order));
    },
  });
  route('/orders/:id/retry', {
    POST: async (c) => sendJson(200, orderView(unwrap(await orders.retry(c.var.operator, orderIdOf(c))))),
  });
  route('/orders/:id/cancel', {
    POST: async (c) => sendJson(200, orderView(unwrap(await orders.cancel(c.var.operator, orderIdOf(c))))),
  });

  route('/erase', {
    async POST(c) {
      const { email } = await readJson(c, eraseBody);
      return sendJson(200, unwrap(await eraser.erase(c.var.operator, email)));
    },
  });
  route('/dead-letters', {
    async GET(c) {
      const { cursor, limit } = readQuery(c, deadLettersQuery);
      const { items, next } = await deadLetters.list(cursor, limit);
      return sendJson(200, { deadLetters: items.map(deadLetterView), ...defined({ next }) });
    },
  });
  type DeadLetterAction = (by: Operator, selection: DeadLetterSelection) => Promise<Result<object>>;
  const deadLetterActions: Readonly<Record<string, DeadLetterAction>> = {
    retry: (by, selection) => deadLetters.retry(by, selection),
    discard: (by, selection) => deadLetters.discard(by, selection),
  };
  for (const [name, act] of Object.entries(deadLetterActions)) {
    const POST: Handler = async (c) => {
      const selection = await readJson(c, deadLettersBody);
      // There may be very many of a channel.
      return sendSlowJson(act(c.var.operator, selection).then(unwrap), clock);
    };
    route(`/dead-letters/${name}`, { POST });
  }
  // Answers with the report that `npm run audit -- --json` prints.
  route('/audit', {
    GET: async (c) => sendSlowJson(audits.run(readQuery(c, auditQuery)).then(unwrap), clock),
  });
  route('/reconciliation.csv', {
    GET: async (c) =>
      sendCsv(
        c,
        reconciliationFile(() => audits.reconcile()),
        { by: c.var.operator, log, clock },
      ),
  });
  route('/changes', {
    async GET(c) {
      const { cursor, limit } = readQuery(c, changesQuery);
      const { items, next } = await changes.list(cursor, limit);
      return sendJson(200, { changes: items.map(changeView), ...defined({ next }) });
    },
  });
  routes.all('*', (c) => problem(c, 'unknown_route'));
  return routes as unknown as Hono;
}

/**
 * Checks the sale window before the service does, so that the error names the invalid member.
 * @throws ProblemError 422
 */
function checkSaleWindow({ opensAt, closesAt }: { opensAt?: number | null; closesAt?: number | null }): void {
  if (typeof opensAt !== 'number' || typeof closesAt !== 'number' || opensAt < closesAt) return;
  throw new ProblemError('invalid', { errors: [{ path: 'closesAt', message: 'must be after opensAt' }] });
}

function packageIdOf(c: Context): number {
  const id = packageIdFrom(c.req.param('id') ?? '');
  if (id === undefined) throw new ProblemError('unknown_package');
  return id;
}

function orderIdOf(c: Context): string {
  const id = parseOrderId(c.req.param('id') ?? '');
  if (id === undefined) throw new ProblemError('unknown_order');
  return id;
}

function instanceIdOf(c: Context): string {
  const id = instanceIdInput.safeParse(c.req.param('id')).data;
  if (id === undefined) throw new ProblemError('unknown_instance');
  return id;
}
