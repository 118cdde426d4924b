import type { Context } from 'hono';
import { orderCalendar } from '../../calendar/order-calendar.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import { isSettled, type Order, parseOrderId } from '../../domain/order.ts';
import { limited } from '../limits.ts';
import type { RouteHandler, RouteTable } from '../methods.ts';
import {
  isOrderSignature,
  maySeeOrder,
  orderSignature,
  recentOrders,
  rememberOrders,
} from '../order-access.ts';
import { problem, type SendProblem } from '../problem.ts';
import { queueStateOf } from '../queue-state.ts';
import { issueFormKey } from './form-keys.ts';
import { orderFragment } from './fragments/order.ts';
import type { LiveOrderState } from './fragments/order-text.ts';
import { offerOf } from './fragments/package.ts';
import { missPage } from './problem-pages.ts';
import {
  fragmentContext,
  newFormKey,
  orderAddress,
  type PageServices,
  renderContext,
  sendErrorPage,
  sendPage,
} from './responses.ts';
import { resultPage } from './result-page.ts';

/**
 * The routes of `/orders/:id`, its live fragment, its calendar file, and its cancellation. Cancelling a queued order
 * means leaving the queue.
 */
export function resultPages(services: PageServices, showProblem: SendProblem): RouteTable {
  const limitedPage = (handle: RouteHandler) => limited(services.limits?.lookUp, handle, showProblem);
  return {
    '/orders/:id': { GET: limitedPage((c) => show(c, services)) },
    '/orders/:id/fragment': { GET: limitedPage((c) => showFragment(c, services)) },
    '/orders/:id/calendar.ics': { GET: limitedPage((c) => sendCalendar(c, services)) },
    '/orders/:id/cancel': { POST: limitedPage((c) => cancel(c, services)) },
  };
}

async function show(c: Context, services: PageServices): Promise<Response> {
  const id = parseOrderId(c.req.param('id') ?? '');
  const proof = c.req.query('proof');
  if (id !== undefined && proof !== undefined && isOrderSignature(services.settings.secret, id, proof)) {
    const next = await withoutProof(c, services, id, proof);
    if (next !== undefined) {
      await lookUpPayment(services, id);
      return c.redirect(next, 303);
    }
  }
  const order = await visibleOrder(c, services, id, proof);
  return order === undefined ? sendMiss(c, services) : showOrder(c, services, order);
}

/**
 * Buyers come back from the payment provider by a link with a signature. So a payable order is looked up at once then, even
 * if the provider sends no events. Does not wait for the result, which the page shows live.
 */
async function lookUpPayment({ engine, payments }: PageServices, id: string): Promise<void> {
  if (payments === undefined) return;
  const order = await engine.order(id);
  // The order's saga looks the payment up again if this fails.
  if (order?.status === 'payable') payments.lookUp(order).catch(() => undefined);
}

/**
 * Moves a link's signature to the cookie and returns the URL to redirect to, so that the address bar does not show the
 * signature. Returns undefined when the browser has not accepted the cookie. The signature then stays in the URL.
 */
async function withoutProof(
  c: Context,
  { settings }: PageServices,
  id: string,
  proof: string,
): Promise<string | undefined> {
  const fromQueue = isFromQueue(c);
  if ((await recentOrders(c, settings)).includes(id)) return orderAddress(id, { fromQueue });
  await rememberOrders(c, settings, id);
  return c.req.query('cookie') === undefined
    ? orderAddress(id, { fromQueue, cookieSet: true }, proof)
    : undefined;
}

function isFromQueue(c: Context): boolean {
  return c.req.query('from') === 'queue';
}

async function showOrder(
  c: Context,
  services: PageServices,
  order: Order,
  error?: ErrorCode,
): Promise<Response> {
  const proof = orderSignature(services.settings.secret, order.id);
  const state = {
    order,
    live: await liveOf(services, order),
    proof,
    // Without a public origin the scheme is unknown, because a proxy may end TLS.
    host: services.settings.publicOrigin ?? new URL(c.req.url).host,
    actsByProof: c.req.query('proof') !== undefined,
    asksToConfirm: c.req.query('ask') !== undefined,
    mode: isFromQueue(c) ? 'order-queue' : 'order',
    // A pending page reloads every few seconds and has no form to send, so its new key is not added to the cookie.
    key: isSettled(order) ? issueFormKey(c, services) : newFormKey(services),
  } as const;
  const context = renderContext(c, services);
  if (error === undefined) return sendPage(c, resultPage(context, state));
  return sendErrorPage(c, resultPage(context, { ...state, error }), error);
}

async function showFragment(c: Context, services: PageServices): Promise<Response> {
  const order = await visibleOrder(c, services, parseOrderId(c.req.param('id') ?? ''), c.req.query('proof'));
  c.header('Cache-Control', 'no-store');
  if (order === undefined) return problem(c, 'unknown_order');
  const { now, texts } = fragmentContext(c, services);
  return c.html(String(orderFragment(order, { ...(await liveOf(services, order)), now }, texts)));
}

/**
 * Sends the calendar file of a confirmed order, in the language of its page, which the address names. For another order
 * the page tells what has become of it.
 */
async function sendCalendar(c: Context, services: PageServices): Promise<Response> {
  const proof = c.req.query('proof');
  const order = await visibleOrder(c, services, parseOrderId(c.req.param('id') ?? ''), proof);
  if (order === undefined) return sendMiss(c, services);
  const { texts } = renderContext(c, services);
  const file = orderCalendar(order, texts.calendar);
  if (file === undefined) {
    const parts = { cookieSet: proof !== undefined };
    return c.redirect(orderAddress(order.id, parts, proof), 303);
  }
  c.header('Content-Type', file.type);
  c.header('Content-Disposition', `attachment; filename="${file.name}"`);
  return c.body(file.text);
}

async function cancel(c: Context, services: PageServices): Promise<Response> {
  const proof = c.req.query('proof');
  const order = await visibleOrder(c, services, parseOrderId(c.req.param('id') ?? ''), proof);
  if (order === undefined) return sendMiss(c, services);
  const result = await services.engine.cancel(order);
  if (result.kind === 'refused') return showOrder(c, services, result.order ?? order, result.code);
  const parts = { cookieSet: proof !== undefined, fromQueue: isFromQueue(c) };
  return c.redirect(orderAddress(order.id, parts, proof), 303);
}

/** Returns the order, if it exists and the caller may see it. For other callers the store is not read (promise Q10). */
async function visibleOrder(
  c: Context,
  { engine, settings }: PageServices,
  id: string | undefined,
  proof?: string,
): Promise<Order | undefined> {
  if (id === undefined || !(await maySeeOrder(c, settings, id, proof))) return undefined;
  return engine.order(id);
}

async function liveOf({ engine, clock }: PageServices, order: Order): Promise<Omit<LiveOrderState, 'now'>> {
  const snapshot = await engine.package(order.packageId);
  const inProgress = snapshot?.inventory.held ?? 0;
  const offer = snapshot === undefined ? undefined : offerOf(snapshot, clock.now());
  return { ...queueStateOf(engine, order), inProgress, offer };
}

function sendMiss(c: Context, services: PageServices): Response {
  return sendErrorPage(c, missPage(renderContext(c, services)), 'unknown_order');
}
