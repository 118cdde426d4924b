import type { Hono } from 'hono';
import { z } from 'zod';
import { type ErrorCode, errorKind } from '../../domain/errors.ts';
import { parseOrderId } from '../../domain/order.ts';
import { readForm } from '../../http/body.ts';
import { emailInput, packageIdFrom } from '../../http/inputs.ts';
import { formatNight } from '../../http/pages/format.ts';
import { orderIdIn } from '../../http/pages/query-pages.ts';
import { ordersQuery } from '../api/requests.ts';
import type { AdminOrder } from '../order-service.ts';
import { confirmStep } from './confirm.ts';
import {
  type AdminContext,
  type AdminDeps,
  type AdminEnv,
  adminRouter,
  adminSetting,
  found,
  goOn,
  show,
  showRefused,
} from './context.ts';
import { cancelEffects } from './effects.ts';
import { statusWords } from './format.ts';
import { emailOrdersPage, orderPage, ordersPage, queryOf } from './order-pages.ts';

/** `/admin/orders`: find, look at, retry and cancel orders. */
export function orderRoutes(deps: AdminDeps): Hono<AdminEnv> {
  return adminRouter()
    .get('/admin/orders', (c) => findOrders(c, deps))
    .post('/admin/orders/search', (c) => findByEmail(c, deps))
    .get('/admin/orders/search', (c) => c.redirect('/admin/orders', 303))
    .get('/admin/orders/:id', async (c) =>
      show(c, deps, orderPage(adminSetting(deps), await orderOf(c, deps))),
    )
    .post('/admin/orders/:id/retry', (c) => retry(c, deps))
    .get('/admin/orders/:id/cancel', (c) => confirmCancel(c, deps))
    .post('/admin/orders/:id/cancel', (c) => cancel(c, deps));
}

async function findOrders(c: AdminContext, deps: AdminDeps): Promise<Response> {
  const { id = '', package: packageText = '', status = '', cursor } = c.req.query();
  const search = { id: id.slice(0, 300), package: packageText.slice(0, 20), status };
  const setting = adminSetting(deps);
  const none = { items: [] };
  if (id.trim() !== '') {
    const orderId = orderIdIn(id);
    const order = orderId === undefined ? undefined : await deps.service.orders.get(orderId);
    if (order !== undefined) return c.redirect(`/admin/orders/${order.order.id}`, 303);
    const words = 'There is no order with this number.';
    return showRefused(c, deps, 'unknown_order', ordersPage(setting, search, none, words));
  }
  const packageId = packageIdFrom(packageText.trim());
  if (packageText.trim() !== '' && packageId === undefined) {
    const words = 'A package is a whole number, 1 or more.';
    return showRefused(c, deps, 'invalid', ordersPage(setting, search, none, words));
  }
  const orders = await deps.service.orders.list(queryOf(search, packageId, cursor));
  return show(c, deps, ordersPage(setting, search, orders));
}

const searchForm = z.object({ email: emailInput, cursor: ordersQuery.shape.cursor });

async function findByEmail(c: AdminContext, deps: AdminDeps): Promise<Response> {
  const form = await readForm(c, searchForm);
  const setting = adminSetting(deps);
  if ('errors' in form) {
    const page = emailOrdersPage(setting, { email: form.fields.email ?? '', errors: form.errors });
    return showRefused(c, deps, 'invalid', page);
  }
  const { email, cursor } = form.value;
  const found = await deps.service.orders.listByEmail(email, cursor);
  return show(c, deps, emailOrdersPage(setting, { email, found }));
}

/** The order of the address. @throws ProblemError where there is none. */
async function orderOf(c: AdminContext, { service }: AdminDeps): Promise<AdminOrder> {
  const id = parseOrderId(c.req.param('id') ?? '');
  return found(id === undefined ? undefined : await service.orders.get(id), 'unknown_order');
}

async function retry(c: AdminContext, deps: AdminDeps): Promise<Response> {
  const { order } = await orderOf(c, deps);
  const outcome = await deps.service.orders.retry(c.var.operator, order.id);
  if (outcome.kind === 'refused') return refuse(c, deps, outcome.code);
  return goOn(c, deps, addressOf(order.id), 'The suppliers are being asked again now.');
}

async function confirmCancel(c: AdminContext, deps: AdminDeps): Promise<Response> {
  const { order } = await orderOf(c, deps);
  const effects = cancelEffects(order);
  const back = addressOf(order.id);
  return show(c, deps, {
    title: `Cancel order ${order.id}`,
    current: 'orders',
    main: confirmStep(
      effects === undefined
        ? {
            question: `${order.id} cannot be cancelled now`,
            effects: whyNot(order.status),
            back,
            backLabel: 'Back to the order',
          }
        : {
            question: `Cancel ${order.id}?`,
            subject: `${order.package.flight}, ${formatNight(order.package.stay)}`,
            effects,
            action: `${back}/cancel`,
            yes: 'Cancel the order',
            back,
            backLabel: 'Keep the order',
          },
    ),
  });
}

function whyNot(status: AdminOrder['order']['status']): string[] {
  const state = `Its status is: ${statusWords[status].toLowerCase()}.`;
  if (status === 'held') {
    return [
      state,
      'It is not known yet what the suppliers have booked. Retry the order, and cancel it once it is confirmed.',
    ];
  }
  return [state, 'There is nothing to cancel, or it is being cancelled already.'];
}

async function cancel(c: AdminContext, deps: AdminDeps): Promise<Response> {
  const { order } = await orderOf(c, deps);
  const outcome = await deps.service.orders.cancel(c.var.operator, order.id);
  if (outcome.kind === 'refused') return refuse(c, deps, outcome.code);
  const words =
    outcome.value.status === 'withdrawn' ? 'The order has left the queue.' : 'The order is being cancelled.';
  return goOn(c, deps, addressOf(order.id), words);
}

/** The order as it stands, and why nothing was done. */
async function refuse(c: AdminContext, deps: AdminDeps, code: ErrorCode): Promise<Response> {
  const order = await orderOf(c, deps);
  return showRefused(c, deps, code, orderPage(adminSetting(deps), order, errorKind(code).title));
}

function addressOf(id: string): string {
  return `/admin/orders/${id}`;
}
