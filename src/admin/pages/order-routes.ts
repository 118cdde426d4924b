import type { Hono } from 'hono';
import { z } from 'zod';
import { type ErrorCode, errorKind } from '../../domain/errors.ts';
import { type Order, type OrderStatus, parseOrderId } from '../../domain/order.ts';
import { emailInput } from '../../http/email.ts';
import { packageIdFrom } from '../../http/inputs.ts';
import { orderIdIn } from '../../http/pages/query-pages.ts';
import { readForm } from '../../http/request.ts';
import { ordersQuery } from '../api/requests.ts';
import type { AdminOrder } from '../order-service.ts';
import { serveAction } from './confirm.ts';
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
import { formatNight, statusWords } from './format.ts';
import { emailOrdersPage, orderPage, ordersPage, queryOf } from './order-pages.ts';

/** `/admin/orders`: find, look at, retry and cancel orders. */
export function orderRoutes(deps: AdminDeps): Hono<AdminEnv> {
  const routes = adminRouter()
    .get('/admin/orders', (c) => findOrders(c, deps))
    .post('/admin/orders/search', (c) => findByEmail(c, deps))
    .get('/admin/orders/search', (c) => c.redirect('/admin/orders', 303))
    .get('/admin/orders/:id', async (c) =>
      show(c, deps, orderPage(adminSetting(c, deps), await orderOf(c, deps))),
    );
  const { orders } = deps.service;
  const common = {
    load: (c: AdminContext) => orderOf(c, deps),
    refused: (c: AdminContext, _order: AdminOrder, code: ErrorCode) => refuse(c, deps, code),
  };
  serveAction(routes, deps, {
    ...common,
    path: '/admin/orders/:id/retry',
    run: (c, { order }) => orders.retry(c.var.operator, order.id),
    done: (c, { order }) => goOn(c, deps, addressOf(order.id), 'The suppliers are being asked again now.'),
  });
  serveAction(routes, deps, {
    ...common,
    path: '/admin/orders/:id/cancel',
    step: ({ order }) => cancelStep(order),
    run: (c, { order }) => orders.cancel(c.var.operator, order.id),
    done(c, { order }, { status }) {
      const notice =
        status === 'withdrawn' ? 'The order has left the queue.' : 'The order is being cancelled.';
      return goOn(c, deps, addressOf(order.id), notice);
    },
  });
  return routes;
}

async function findOrders(c: AdminContext, deps: AdminDeps): Promise<Response> {
  const { id = '', package: packageText = '', status = '', cursor } = c.req.query();
  const search = { id: id.slice(0, 300), package: packageText.slice(0, 20), status };
  const setting = adminSetting(c, deps);
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
  const setting = adminSetting(c, deps);
  if ('errors' in form) {
    const page = emailOrdersPage(setting, { email: form.fields.email ?? '', errors: form.errors });
    return showRefused(c, deps, 'invalid', page);
  }
  const { email, cursor } = form.value;
  const found = await deps.service.orders.listByEmail(email, cursor);
  return show(c, deps, emailOrdersPage(setting, { email, found }));
}

/** The order whose id is in the URL. @throws ProblemError 404 */
async function orderOf(c: AdminContext, { service }: AdminDeps): Promise<AdminOrder> {
  const id = parseOrderId(c.req.param('id') ?? '');
  return found(id === undefined ? undefined : await service.orders.get(id), 'unknown_order');
}

function cancelStep(order: Order) {
  const { id, status, package: offer } = order;
  const common = { title: `Cancel order ${id}`, current: 'orders', back: addressOf(id) } as const;
  const effects = cancelEffects(order);
  if (effects === undefined) {
    const question = `${id} cannot be cancelled now`;
    return { ...common, question, effects: whyNot(status), backLabel: 'Back to the order' };
  }
  return {
    ...common,
    question: `Cancel ${id}?`,
    subject: `${offer.flight}, ${formatNight(offer.stay)}`,
    effects,
    yes: 'Cancel the order',
    backLabel: 'Keep the order',
  };
}

function whyNot(status: OrderStatus): string[] {
  const state = `Its status is: ${statusWords[status].toLowerCase()}.`;
  if (status === 'held') {
    return [
      state,
      'It is not known yet what the suppliers have booked. Retry the order, and cancel it once it is confirmed.',
    ];
  }
  return [state, 'There is nothing to cancel, or it is being cancelled already.'];
}

/** Shows the unchanged order, and why the action was refused. */
async function refuse(c: AdminContext, deps: AdminDeps, code: ErrorCode): Promise<Response> {
  const order = await orderOf(c, deps);
  return showRefused(c, deps, code, orderPage(adminSetting(c, deps), order, errorKind(code).title));
}

function addressOf(id: string): string {
  return `/admin/orders/${id}`;
}

/** The effects of a cancellation, as sentences. Undefined if the order cannot be cancelled. */
export function cancelEffects({ status, flight, hotel, payment }: Order): string[] | undefined {
  if (status === 'queued') {
    return [
      'The buyer loses the position in the queue, and is told so.',
      'Nothing has been booked, so nothing is given back.',
    ];
  }
  if (status !== 'confirmed' && status !== 'payable') return undefined;
  const isPayable = status === 'payable';
  return [
    ...(payment === undefined
      ? []
      : [isPayable ? 'The buyer can no longer pay.' : 'What was paid is refunded.']),
    `The seat${flight === undefined ? '' : ` (${flight.ticketNumber})`} and the room${hotel === undefined ? '' : ` (${hotel.reservationNumber})`} are given back at the suppliers.`,
    'The place goes to the next in the queue, or back on sale.',
    `The buyer sees the ${isPayable ? 'order' : 'trip'} as cancelled. This cannot be undone.`,
  ];
}
