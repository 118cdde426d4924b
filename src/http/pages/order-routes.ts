import { type Context, Hono } from 'hono';
import { z } from 'zod';
import { type ErrorCode, errorKind } from '../../domain/errors.ts';
import { isSettled, type Order } from '../../domain/order.ts';
import { isListed, type PackageSnapshot } from '../../domain/travel-package.ts';
import { readForm } from '../body.ts';
import { emailInput, isSameEmail, keyInput, packageIdField } from '../inputs.ts';
import { limited, limitedPage, purchasingPage, takeEmail } from '../limits.ts';
import { rememberOrder } from '../order-access.ts';
import { ProblemError, problem } from '../problem.ts';
import { purchaseOutcome } from '../telemetry/observe-requests.ts';
import { forgetFormKeys, issueFormKey } from './form-keys.ts';
import { packageFragment } from './fragments/package.ts';
import { anotherField, anotherPage, lookingPage, nothingSentNote } from './lost-order-pages.ts';
import type { LostOrderFinder } from './lost-orders.ts';
import { type OrderFieldErrors, type OrderMode, orderPage } from './order-page.ts';
import { problemPageSender } from './problem-pages.ts';
import {
  addressToShow,
  newFormKey,
  type PageServices,
  redirectTo,
  renderContext,
  sendErrorPage,
  sendPage,
} from './responses.ts';

const orderForm = z.object({
  packageId: packageIdField,
  email: emailInput,
  key: keyInput.optional(),
  [anotherField]: z.literal('yes').optional().catch(undefined),
});

const sentForm = z.object({ packageId: packageIdField, email: emailInput, key: keyInput });

/** How long `POST /order` waits for the outcome before it shows the order as it stands. */
const outcomeWaitMs = 10_000;
/** The same while the order is in the queue: its position is worth more to the buyer than an empty page. */
const queueWaitMs = 1_000;

/**
 * `/order`, `/order-queue`, the live fragments of both for where no socket can be had, and `/order/sent`, which tells
 * what became of a purchase whose answer was lost.
 */
export function orderPages(pageDeps: PageServices, sent: LostOrderFinder): Hono {
  const deps = { ...pageDeps, sent };
  const sendProblem = problemPageSender(deps);
  const overloaded = (c: Context) => sendProblem(c, 'overloaded');
  return new Hono()
    .get(
      '/order',
      limitedPage(deps.limits?.read, (c) => showForm(c, deps, 'order')),
    )
    .post(
      '/order',
      purchasingPage(deps, (c) => buy(c, deps, 'order'), overloaded),
    )
    .get(
      '/order-queue',
      limitedPage(deps.limits?.read, (c) => showForm(c, deps, 'order-queue')),
    )
    .post(
      '/order-queue',
      purchasingPage(deps, (c) => buy(c, deps, 'order-queue'), overloaded),
    )
    .get(
      '/order/fragments',
      limitedPage(deps.limits?.read, (c) => showFragments(c, deps)),
    )
    .post(
      '/order/sent',
      limited(deps.limits?.lookUp, (c) => findSent(c, deps)),
    );
}

type OrderDeps = PageServices & { readonly sent: LostOrderFinder };

async function onSale({ engine }: PageServices): Promise<PackageSnapshot[]> {
  return (await engine.packages()).filter(isListed);
}

async function showFragments(c: Context, deps: PageServices): Promise<Response> {
  const view = renderContext(deps);
  c.header('Cache-Control', 'no-store');
  const snapshots = await onSale(deps);
  return c.html(snapshots.map((snapshot) => String(packageFragment(snapshot, view))).join(''));
}

async function showForm(c: Context, deps: OrderDeps, mode: OrderMode): Promise<Response> {
  const { found, isPending, isNone } = await deps.sent.find(c);
  const [lost] = found;
  if (lost !== undefined) {
    return c.redirect(
      await addressToShow(c, deps.settings, lost.id, { fromQueue: mode === 'order-queue' }),
      303,
    );
  }
  if (isPending && !deps.sent.hasScript(c)) return sendPage(c, lookingPage(renderContext(deps)));
  const snapshots = await onSale(deps);
  const chosen = c.req.query('package');
  const choice = chosen === undefined ? {} : { chosen };
  const note = isNone ? { note: nothingSentNote() } : {};
  const state = { mode, snapshots, key: issueFormKey(c, deps), ...choice, ...note };
  return sendPage(c, orderPage(renderContext(deps), state));
}

async function buy(c: Context, deps: OrderDeps, mode: OrderMode): Promise<Response> {
  const form = await readForm(c, orderForm);
  if ('errors' in form) {
    const paths = form.errors.map(({ path }) => path);
    const fields = { packageId: paths.includes('packageId'), email: paths.includes('email') };
    return showError(c, deps, { mode, entered: form.fields, code: 'invalid', fields });
  }
  const { packageId, email, key = newFormKey(deps), [anotherField]: isAnother } = form.value;
  const first = isAnother ? undefined : await deps.sent.liveOrderHere(c, packageId, key);
  if (first !== undefined) {
    // The page links to it, and the answer that would have set this cookie may be lost.
    await rememberOrder(c, deps.settings, first.id);
    return sendPage(c, anotherPage(renderContext(deps), { mode, order: first, key, email }), 409);
  }
  const tooMany = await takeEmail(c, deps.limits, email);
  if (tooMany !== undefined) {
    const { retryAfterS } = tooMany;
    return showError(c, deps, { mode, entered: form.fields, code: 'rate_limited', fields: {}, retryAfterS });
  }
  const gone = c.req.raw.signal;
  const result = await deps.sent.underWay.during(key, () =>
    deps.engine.purchase({ packageId, email, key, gone }),
  );
  const metrics = deps.telemetry?.metrics;
  if (result.kind === 'refused') metrics?.purchase(result.code);
  if (result.kind === 'refused' && result.order === undefined) {
    return showError(c, deps, { mode, entered: form.fields, code: result.code, fields: {} });
  }
  const order = result.order as Order;
  await rememberOrder(c, deps.settings, order.id);
  forgetFormKeys(c, deps.settings, [key]);
  const latest = mode === 'order' ? await outcomeOrPosition(deps, order, gone) : order;
  if (result.kind === 'accepted') metrics?.purchase(purchaseOutcome(latest));
  const fromQueue = mode === 'order-queue';
  return redirectTo(c, await addressToShow(c, deps.settings, order.id, { fromQueue }));
}

/**
 * What became of a purchase whose answer was lost, for who knows its package, key and email: to them, the purchase
 * sent again would show the same order (rule Q7). This buys nothing. 404 where there is none; 202 while it is being
 * stored here.
 */
async function findSent(c: Context, deps: OrderDeps): Promise<Response> {
  const form = await readForm(c, sentForm);
  if ('errors' in form) throw new ProblemError('invalid', { errors: form.errors });
  const { packageId, email, key } = form.value;
  const isUnderWay = deps.sent.underWay.has(key);
  const [order] = await deps.engine.ordersByKey(packageId, [key]);
  if (!isSameEmail(order?.email ?? '', email) || order === undefined) {
    return isUnderWay ? c.body(null, 202, { 'Retry-After': '1' }) : problem(c, 'unknown_order');
  }
  await rememberOrder(c, deps.settings, order.id);
  forgetFormKeys(c, deps.settings, [key]);
  return redirectTo(c, await addressToShow(c, deps.settings, order.id));
}

/** The order with its outcome, or while it is in the queue; its page shows the position then, and goes on by itself. */
async function outcomeOrPosition({ engine }: PageServices, order: Order, gone: AbortSignal): Promise<Order> {
  const early = await engine.outcome(order, { waitMs: queueWaitMs, gone });
  if (early.status === 'queued' || isSettled(early)) return early;
  return engine.outcome(early, { waitMs: outcomeWaitMs - queueWaitMs, gone });
}

interface FailedTry {
  readonly mode: OrderMode;
  readonly entered: Readonly<Record<string, string>>;
  readonly code: ErrorCode;
  readonly fields: OrderFieldErrors;
  readonly retryAfterS?: number | undefined;
}

/** The form again, with what was entered; its key stays where repeating the same request is the thing to do. */
async function showError(c: Context, deps: PageServices, failed: FailedTry): Promise<Response> {
  const { mode, entered, code, fields, retryAfterS } = failed;
  const { email = '', packageId: chosen = '', key: sentKey } = entered;
  const kept = keyInput.safeParse(sentKey);
  const key = kept.success && errorKind(code).retry === 'later' ? kept.data : issueFormKey(c, deps);
  const snapshots = await onSale(deps);
  const error = { code, fields, retryAfterS };
  const page = orderPage(renderContext(deps), { mode, snapshots, key, email, chosen, error });
  return sendErrorPage(c, page, code, retryAfterS);
}
