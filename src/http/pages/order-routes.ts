import type { Context } from 'hono';
import { z } from 'zod';
import { errorKind } from '../../domain/errors.ts';
import { isSettled, type Order } from '../../domain/order.ts';
import { defined } from '../../lib/defined.ts';
import { emailInput, newEmailInput, parseNewEmail } from '../email.ts';
import { keyInput, packageIdField, packageIdFrom, packageIdsFrom, shownMax } from '../inputs.ts';
import { limited, purchasing, takeEmail } from '../limits.ts';
import type { RouteHandler, RouteTable } from '../methods.ts';
import { rememberOrders } from '../order-access.ts';
import { ProblemError, problem, type SendProblem } from '../problem.ts';
import { readForm } from '../request.ts';
import { isSameText } from '../security.ts';
import { purchaseOutcome } from '../telemetry/observe-requests.ts';
import { forgetFormKeys, issueFormKey } from './form-keys.ts';
import { packageFragment } from './fragments/package.ts';
import { languageOfBuyer } from './language.ts';
import { anotherField, anotherPage, lookingPage, nothingSentNote } from './lost-order-pages.ts';
import type { LostOrderFinder } from './lost-orders.ts';
import { type OrderError, type OrderMode, orderPage } from './order-page.ts';
import {
  addressToShow,
  fragmentContext,
  newFormKey,
  type PageServices,
  redirectTo,
  renderContext,
  sendErrorPage,
  sendPage,
} from './responses.ts';
import { type TripSearch, type TripsPage, tripSearchOf } from './trip-search.ts';

const orderForm = z.object({
  packageId: packageIdField,
  email: newEmailInput,
  key: keyInput.optional(),
  [anotherField]: z.literal('yes').optional().catch(undefined),
});

const sentForm = z.object({ packageId: packageIdField, email: emailInput, key: keyInput });

/** How long `POST /order` waits for the outcome before it redirects to the unfinished order. */
const outcomeWaitMs = 10_000;
/**
 * How long `POST /order` waits when the order is in the queue. Short, because the position is more useful to the buyer
 * than waiting.
 */
const queueWaitMs = 1_000;

/**
 * The routes of `/order`, `/order-queue`, their live fragments for browsers without a socket, and `/order/sent`. The
 * latter finds the order of a purchase whose answer was lost.
 */
export function orderPages(pageServices: PageServices, sent: LostOrderFinder, show: SendProblem): RouteTable {
  const services = { ...pageServices, sent };
  const read = (handle: RouteHandler) => limited(services.limits?.read, handle, show);
  const formPage = (mode: OrderMode) => ({
    GET: read((c) => showForm(c, services, mode)),
    POST: purchasing(services, (c) => buy(c, services, mode), show),
  });
  return {
    '/order': formPage('order'),
    '/order-queue': formPage('order-queue'),
    '/order/fragments': { GET: read((c) => showFragments(c, services)) },
    // Our script sends this request, so problems are answered as JSON, not as pages.
    '/order/sent': { POST: limited(services.limits?.lookUp, (c) => findSent(c, services)) },
  };
}

type OrderServices = PageServices & { readonly sent: LostOrderFinder };

/** Reads the page of packages that a search asks for, or the page with the chosen package. */
async function readTrips({ engine }: PageServices, search: TripSearch, chosen?: string): Promise<TripsPage> {
  const { flight, night, page } = search;
  const id = page === undefined ? packageIdFrom(chosen ?? '') : undefined;
  const from = id === undefined ? { index: ((page ?? 1) - 1) * shownMax } : { id };
  const found = await engine.packages({ group: 'listed', flight, stay: night, from, limit: shownMax });
  return { search, ...found };
}

/** The live fragments of the packages with these ids, or of the first page. */
async function showFragments(c: Context, services: PageServices): Promise<Response> {
  const view = fragmentContext(c, services);
  c.header('Cache-Control', 'no-store');
  const { engine } = services;
  const ids = packageIdsFrom(c.req.query('ids') ?? '');
  const snapshots =
    ids === undefined
      ? (await readTrips(services, {})).items
      : (await Promise.all(ids.map((id) => engine.package(id)))).filter((each) => each !== undefined);
  return c.html(snapshots.map((snapshot) => String(packageFragment(snapshot, view))).join(''));
}

async function showForm(c: Context, services: OrderServices, mode: OrderMode): Promise<Response> {
  const { found, isPending, isNone } = await services.sent.find(c);
  const [lost] = found;
  if (lost !== undefined) {
    const fromQueue = mode === 'order-queue';
    return c.redirect(await addressToShow(c, services.settings, lost.id, { fromQueue }), 303);
  }
  const context = renderContext(c, services);
  if (isPending && !services.sent.hasScript(c)) return sendPage(c, lookingPage(context));
  const chosen = c.req.query('package');
  const trips = await readTrips(services, tripSearchOf(c.req.query()), chosen);
  const optional = defined({ chosen, note: isNone ? nothingSentNote(context) : undefined });
  const state = { mode, trips, key: issueFormKey(c, services), ...optional };
  return sendPage(c, orderPage(context, state));
}

async function buy(c: Context, services: OrderServices, mode: OrderMode): Promise<Response> {
  const form = await readForm(c, orderForm);
  if ('errors' in form) {
    const email = parseNewEmail(form.fields.email ?? '');
    const fields = {
      packageId: form.errors.some(({ path }) => path === 'packageId'),
      ...('problem' in email ? { email: email.problem } : {}),
    };
    return showError(c, services, { mode, entered: form.fields, code: 'invalid', fields });
  }
  const { packageId, email, key = newFormKey(services), [anotherField]: isAnother } = form.value;
  const first = isAnother ? undefined : await services.sent.liveOrderHere(c, packageId, key);
  if (first !== undefined) {
    // Set the cookie of the first order again, because the page links to this order and the answer that set its cookie
    // may have been lost.
    await rememberOrders(c, services.settings, first.id);
    return sendPage(c, anotherPage(renderContext(c, services), { mode, order: first, key, email }), 409);
  }
  const tooMany = await takeEmail(c, services.limits, email);
  if (tooMany !== undefined) {
    const { retryAfterS } = tooMany;
    return showError(c, services, { mode, entered: form.fields, code: 'rate_limited', retryAfterS });
  }
  const gone = c.req.raw.signal;
  const request = { packageId, email, key, ...languageOfBuyer(c, services.settings) };
  const result = await services.sent.underWay.during(key, () =>
    services.engine.purchase({ ...request, callerSignal: () => gone }),
  );
  const metrics = services.telemetry?.metrics;
  if (result.kind === 'refused') metrics?.purchase(result.code);
  if (result.kind === 'refused' && result.order === undefined) {
    return showError(c, services, { mode, entered: form.fields, code: result.code });
  }
  const order = result.order as Order;
  await rememberOrders(c, services.settings, order.id);
  forgetFormKeys(c, services.settings, [key]);
  const latest = mode === 'order' ? await outcomeOrPosition(services, order, gone) : order;
  if (result.kind === 'accepted') metrics?.purchase(purchaseOutcome(latest));
  const fromQueue = mode === 'order-queue';
  return redirectTo(c, await addressToShow(c, services.settings, order.id, { fromQueue }));
}

/**
 * Finds the order of a purchase whose answer was lost, by its package, key and email. Callers that know all three could
 * also repeat the purchase to see the order (promise Q7); this request never buys. Answers 404 if there is no order,
 * 202 while this process is storing the order.
 */
async function findSent(c: Context, services: OrderServices): Promise<Response> {
  const form = await readForm(c, sentForm);
  if ('errors' in form) throw new ProblemError('invalid', { errors: form.errors });
  const { packageId, email, key } = form.value;
  const isUnderWay = services.sent.underWay.has(key);
  const [order] = await services.engine.ordersByKey(packageId, [key]);
  if (!isSameText(order?.email ?? '', email) || order === undefined) {
    return isUnderWay ? c.body(null, 202, { 'Retry-After': '1' }) : problem(c, 'unknown_order');
  }
  await rememberOrders(c, services.settings, order.id);
  forgetFormKeys(c, services.settings, [key]);
  return redirectTo(c, await addressToShow(c, services.settings, order.id));
}

/**
 * Waits for the order's outcome. Waits less while the order is in the queue, because its page shows the position live.
 */
async function outcomeOrPosition({ engine }: PageServices, order: Order, gone: AbortSignal): Promise<Order> {
  const early = await engine.outcome(order, { waitMs: queueWaitMs, gone });
  if (early.status === 'queued' || isSettled(early)) return early;
  return engine.outcome(early, { waitMs: outcomeWaitMs - queueWaitMs, gone });
}

interface FailedTry extends OrderError {
  readonly mode: OrderMode;
  readonly entered: Readonly<Record<string, string>>;
}

/** Shows the form again with the buyer's input. The form keeps its key if repeating the same request can help. */
async function showError(c: Context, services: PageServices, failed: FailedTry): Promise<Response> {
  const { mode, entered, ...error } = failed;
  const { code, retryAfterS } = error;
  const { email = '', packageId: chosen = '', key: sentKey } = entered;
  const parsed = keyInput.safeParse(sentKey);
  const key = parsed.success && errorKind(code).retry === 'later' ? parsed.data : issueFormKey(c, services);
  const trips = await readTrips(services, tripSearchOf(entered), chosen);
  const page = orderPage(renderContext(c, services), { mode, trips, key, email, chosen, error });
  return sendErrorPage(c, page, code, retryAfterS);
}
