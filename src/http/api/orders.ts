import type { Context, Hono } from 'hono';
import type { z } from 'zod';
import { errorKind } from '../../domain/errors.ts';
import type { Refused } from '../../domain/messages.ts';
import { type Order, parseOrderId } from '../../domain/order.ts';
import { failureOf } from '../../domain/refusals.ts';
import type { AppServices } from '../app-services.ts';
import { answerJson, withDirectAnswer } from '../direct-answer.ts';
import { buyerBody, packageIdFrom, packagePurchaseBody, purchaseBody } from '../inputs.ts';
import { sendJson } from '../json.ts';
import { limited, purchasing, takeEmail } from '../limits.ts';
import { type RouteHandler, serveRoutes } from '../methods.ts';
import { orderMonitor, orderOf } from '../order-access.ts';
import { languageOfCaller } from '../pages/language.ts';
import { ProblemError, problem } from '../problem.ts';
import { queueStateOf } from '../queue-state.ts';
import {
  type Preferences,
  parsePrefer,
  preferenceApplied,
  readIdempotencyKey,
  readJson,
  waitMs,
} from '../request.ts';
import { purchaseOutcome } from '../telemetry/observe-requests.ts';
import { type OrderView, orderView } from './views.ts';

interface Services extends Pick<AppServices, 'engine' | 'clock' | 'telemetry' | 'limits' | 'admission'> {
  readonly settings: Pick<AppServices['settings'], 'secret'>;
}

/** `POST /api/orders`, `GET /api/orders/:id?email=…` and `POST /api/orders/:id/cancel`. */
export function orderRoutes(services: Services): Hono {
  const lookUpLimit = services.limits?.lookUp;
  return serveRoutes({
    '/': { POST: purchaseRoute(services, (c) => readJson(c, purchaseBody)) },
    '/:id': { GET: limited(lookUpLimit, (c) => lookUp(c, services)) },
    '/:id/cancel': { POST: limited(lookUpLimit, (c) => cancel(c, services)) },
  });
}

/**
 * `POST /api/packages/:id/orders`, the second address of a purchase. Load balancers can send all purchases of a package to
 * one instance by its path.
 */
export function packageOrderRoutes(services: Services): Hono {
  const read = async (c: Context): Promise<PurchaseBody> => {
    const packageId = packageIdFrom(c.req.param('id') ?? '');
    if (packageId === undefined) throw new ProblemError('unknown_package');
    return { packageId, ...(await readJson(c, packagePurchaseBody)) };
  };
  return serveRoutes({ '/:id/orders': { POST: purchaseRoute(services, read) } });
}

type PurchaseBody = z.output<typeof purchaseBody>;

function purchaseRoute(services: Services, read: (c: Context) => Promise<PurchaseBody>): RouteHandler {
  return withDirectAnswer(purchasing(services, (c) => purchase(c, services, read)));
}

async function lookUp(c: Context, services: Services): Promise<Response> {
  const order = await findOrder(c, services, c.req.query('email'));
  return sendJson(200, view(order, services), { Link: orderMonitor(services.settings.secret, order.id) });
}

async function purchase(
  c: Context,
  services: Services,
  read: (c: Context) => Promise<PurchaseBody>,
): Promise<Response> {
  const key = readIdempotencyKey(c);
  const { packageId, email } = await read(c);
  const tooMany = await takeEmail(c, services.limits, email);
  if (tooMany !== undefined) return problem(c, 'rate_limited', tooMany);
  const result = await services.engine.purchase({
    packageId,
    email,
    callerSignal: () => c.req.raw.signal,
    ...(key === undefined ? {} : { key }),
    ...languageOfCaller(c),
  });
  const metrics = services.telemetry?.metrics;
  if (result.kind === 'refused') {
    metrics?.purchase(result.code);
    return refusal(c, services, result, packageId);
  }
  return waitAndAnswer(c, services, result.order, (order) => metrics?.purchase(purchaseOutcome(order)));
}

async function cancel(c: Context, services: Services): Promise<Response> {
  const { email } = await readJson(c, buyerBody);
  const order = await findOrder(c, services, email);
  const result = await services.engine.cancel(order);
  if (result.kind === 'refused') return refusal(c, services, result, order.packageId);
  return waitAndAnswer(c, services, result.order);
}

/**
 * Waits for the outcome as long as the caller prefers. Answers with the outcome, or with 202 if the wait ends first.
 */
async function waitAndAnswer(
  c: Context,
  services: Services,
  accepted: Order,
  onAnswer: (order: Order) => void = () => {},
): Promise<Response> {
  const preferences = parsePrefer(c.req.header('prefer'));
  const wait = { waitMs: waitMs(preferences), gone: c.req.raw.signal };
  // With `wait=0` the order is returned at once. If the caller has hung up, `engine.outcome` is called all the same, so
  // that the engine learns of the hang-up.
  const isAnswered = wait.waitMs === 0 && !wait.gone.aborted;
  const order = isAnswered ? accepted : await services.engine.outcome(accepted, wait);
  onAnswer(order);
  return answer(c, order, view(order, services), preferences);
}

function answer(c: Context, order: Order, shown: OrderView, preferences: Preferences): Response {
  const send = (status: 200 | 201 | 202) =>
    answerJson(c, status, shown, {
      Location: `/api/orders/${order.id}`,
      ...preferenceApplied(preferences, status),
    });
  switch (order.status) {
    case 'confirmed':
      return send(201);
    case 'queued':
    case 'held':
    case 'payable':
    case 'cancelling':
      return send(202);
    case 'cancelled':
    case 'withdrawn':
      return send(200);
    case 'rejected':
      return problem(c, 'sold_out', { order: shown });
    case 'compensating':
    case 'failed':
      // The buyer has cancelled it, so it is no failure.
      if (order.reason === 'payment_abandoned') return send(order.status === 'failed' ? 200 : 202);
      return problem(c, failureOf(order), { order: shown, detail: failureDetail(order) });
  }
}

function failureDetail({ reason }: Order): string {
  if (reason === 'supplier_silent') return 'A supplier did not answer in time.';
  if (reason === undefined || reason === 'payment_abandoned') return 'The booking failed.';
  return `${errorKind(reason).title}.`;
}

async function refusal(
  c: Context,
  services: Services,
  refused: Refused,
  packageId: number,
): Promise<Response> {
  const { code, order } = refused;
  const opensAt =
    code === 'not_open' ? (await services.engine.package(packageId))?.package.opensAt : undefined;
  return problem(c, code, {
    ...(order === undefined ? {} : { order: view(order, services) }),
    ...(opensAt === undefined ? {} : { retryAfterS: Math.max(1, (opensAt - services.clock.now()) / 1000) }),
  });
}

/**
 * Finds the order whose id is in the path, for a caller who also knows its email (promise Q10).
 * @throws ProblemError 404, the same for every failed look-up; 422 without an email.
 */
async function findOrder(c: Context, services: Services, email: string | undefined): Promise<Order> {
  if (email === undefined) {
    const errors = [{ path: 'email', message: 'must be given: the email that the order was made with' }];
    throw new ProblemError('invalid', { errors });
  }
  const id = parseOrderId(c.req.param('id') ?? '');
  const order = await orderOf(services.engine, id, email);
  if (order === undefined) throw new ProblemError('unknown_order');
  return order;
}

function view(order: Order, { engine }: Pick<Services, 'engine'>): OrderView {
  return orderView(order, queueStateOf(engine, order));
}
