import { type Context, Hono } from 'hono';
import type { ErrorCode } from '../../domain/errors.ts';
import { parseOrderId } from '../../domain/ids.ts';
import { isSettled, type Order } from '../../domain/order.ts';
import { limitedPage } from '../limits.ts';
import {
  isOrderSignature,
  maySeeOrder,
  orderSignature,
  recentOrders,
  rememberOrder,
} from '../order-access.ts';
import { problem } from '../problem.ts';
import { issueFormKey } from './form-keys.ts';
import { orderFragment } from './fragments/order.ts';
import type { LiveOrderState } from './fragments/order-text.ts';
import { offerOf } from './fragments/package.ts';
import { missPage } from './problem-pages.ts';
import {
  newFormKey,
  orderAddress,
  type PageServices,
  renderContext,
  sendErrorPage,
  sendPage,
} from './responses.ts';
import { resultPage } from './result-page.ts';

/** `/orders/:id`, its live fragment, and cancelling or leaving the queue. */
export function resultPages(deps: PageServices): Hono {
  return new Hono()
    .get(
      '/orders/:id',
      limitedPage(deps.limits?.lookUp, (c) => show(c, deps)),
    )
    .get(
      '/orders/:id/fragment',
      limitedPage(deps.limits?.lookUp, (c) => showFragment(c, deps)),
    )
    .post(
      '/orders/:id/cancel',
      limitedPage(deps.limits?.lookUp, (c) => cancel(c, deps)),
    );
}

async function show(c: Context, deps: PageServices): Promise<Response> {
  const id = parseOrderId(c.req.param('id') ?? '');
  const proof = c.req.query('proof');
  if (id !== undefined && proof !== undefined && isOrderSignature(deps.settings.secret, id, proof)) {
    const next = await withoutProof(c, deps, id, proof);
    if (next !== undefined) return c.redirect(next, 303);
  }
  const order = await orderOf(c, deps, id, proof);
  return order === undefined ? sendMiss(c, deps) : showOrder(c, deps, order);
}

/**
 * A link's proof moves into the cookie, so that the address can be shown to anybody. Undefined where that was tried
 * in vain: a browser that takes no cookies keeps the proof in its address.
 */
async function withoutProof(
  c: Context,
  { settings }: PageServices,
  id: string,
  proof: string,
): Promise<string | undefined> {
  const fromQueue = isFromQueue(c);
  if ((await recentOrders(c, settings)).includes(id)) return orderAddress(id, { fromQueue });
  await rememberOrder(c, settings, id);
  return c.req.query('cookie') === undefined
    ? orderAddress(id, { fromQueue, cookieSet: true }, proof)
    : undefined;
}

function isFromQueue(c: Context): boolean {
  return c.req.query('from') === 'queue';
}

async function showOrder(c: Context, deps: PageServices, order: Order, error?: ErrorCode): Promise<Response> {
  const proof = orderSignature(deps.settings.secret, order.id);
  const state = {
    order,
    live: await liveOf(deps, order),
    proof,
    // Whether TLS ends in front of us is known only where the public origin says it: then no scheme is better.
    host: deps.settings.publicOrigin ?? new URL(c.req.url).host,
    actsByProof: c.req.query('proof') !== undefined,
    isAsking: c.req.query('ask') !== undefined,
    mode: isFromQueue(c) ? 'order-queue' : 'order',
    // While it is pending, the page asks again every few seconds and offers no form to send.
    key: isSettled(order) ? issueFormKey(c, deps) : newFormKey(deps),
  } as const;
  const setting = renderContext(deps);
  if (error === undefined) return sendPage(c, resultPage(setting, state));
  return sendErrorPage(c, resultPage(setting, { ...state, error }), error);
}

async function showFragment(c: Context, deps: PageServices): Promise<Response> {
  const order = await orderOf(c, deps, parseOrderId(c.req.param('id') ?? ''), c.req.query('proof'));
  c.header('Cache-Control', 'no-store');
  if (order === undefined) return problem(c, 'unknown_order');
  return c.html(String(orderFragment(order, { ...(await liveOf(deps, order)), now: deps.clock.now() })));
}

async function cancel(c: Context, deps: PageServices): Promise<Response> {
  const proof = c.req.query('proof');
  const order = await orderOf(c, deps, parseOrderId(c.req.param('id') ?? ''), proof);
  if (order === undefined) return sendMiss(c, deps);
  const result = await deps.engine.cancel(order);
  if (result.kind === 'refused') return showOrder(c, deps, result.order ?? order, result.code);
  return c.redirect(orderAddress(order.id, { cookieSet: proof !== undefined }, proof), 303);
}

/** The order, if there is one and this browser may see it; nothing is looked up for who may not (rule Q10). */
async function orderOf(
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
  const queuePosition = order.status === 'queued' ? engine.placeInLine(order) : undefined;
  const offer = snapshot === undefined ? undefined : offerOf(snapshot, clock.now());
  return { inProgress, queuePosition, offer };
}

function sendMiss(c: Context, deps: PageServices): Response {
  return sendErrorPage(c, missPage(renderContext(deps)), 'unknown_order');
}
