import { type Context, Hono } from 'hono';
import { parseOrderId } from '../../domain/order.ts';
import { orderView } from '../../http/api/views.ts';
import { readJson } from '../../http/body.ts';
import { sendJson } from '../../http/json.ts';
import { allowOnly } from '../../http/methods.ts';
import { ProblemError } from '../../http/problem.ts';
import { type AdminApiDeps, type AdminApiEnv, adminApi, done, readQuery } from './context.ts';
import { ordersQuery, ordersSearchBody } from './requests.ts';
import { operatedOrderView } from './views.ts';

/** `/api/admin/orders`: any order with its timeline, retry and cancel. */
export function orderRoutes(deps: AdminApiDeps): Hono<AdminApiEnv> {
  const { service } = deps;
  return new Hono<AdminApiEnv>()
    .use(adminApi(deps))
    .get('/', async (c) => {
      const { package: packageId, ...query } = readQuery(c, ordersQuery);
      const { orders, next } = await service.orders({
        ...query,
        ...(packageId === undefined ? {} : { packageId }),
      });
      const shown = { orders: orders.map(operatedOrderView) };
      return sendJson(200, next === undefined ? shown : { ...shown, next });
    })
    .all('/', allowOnly('GET'))
    .post('/search', async (c) => {
      const { email, cursor, limit } = await readJson(c, ordersSearchBody);
      const { orders, next } = await service.ordersOfEmail(email, cursor, limit);
      const shown = { orders: orders.map(operatedOrderView) };
      return sendJson(200, next === undefined ? shown : { ...shown, next });
    })
    .all('/search', allowOnly('POST'))
    .get('/:id', async (c) => {
      const order = await service.order(orderIdOf(c));
      if (order === undefined) throw new ProblemError('unknown_order');
      return sendJson(200, operatedOrderView(order));
    })
    .all('/:id', allowOnly('GET'))
    .post('/:id/retry', async (c) =>
      sendJson(200, orderView(done(await service.retryOrder(c.var.operator, orderIdOf(c))))),
    )
    .all('/:id/retry', allowOnly('POST'))
    .post('/:id/cancel', async (c) =>
      sendJson(200, orderView(done(await service.cancelOrder(c.var.operator, orderIdOf(c))))),
    )
    .all('/:id/cancel', allowOnly('POST'));
}

function orderIdOf(c: Context): string {
  const id = parseOrderId(c.req.param('id') ?? '');
  if (id === undefined) throw new ProblemError('unknown_order');
  return id;
}
