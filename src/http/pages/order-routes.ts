import { type Context, Hono } from 'hono';
import { z } from 'zod';
import { type ErrorCode, errorKind } from '../../domain/errors.ts';
import type { Order } from '../../domain/order.ts';
import { readForm } from '../body.ts';
import { rememberOrder } from '../cookies.ts';
import { emailInput, keyInput, packageIdField } from '../inputs.ts';
import { limitedPage, takeEmail } from '../limits/limited.ts';
import { purchasingPage } from '../limits/purchasing.ts';
import { purchaseOutcome } from '../telemetry/purchase-outcome.ts';
import { packageFragment } from './fragments/index.ts';
import { addressToShow } from './order-address.ts';
import { type OrderFieldErrors, type OrderMode, orderPage } from './order-page.ts';
import { freshKey, type PageDeps, pageSetting, sendErrorPage, sendPage } from './page-kit.ts';
import { problemPages } from './storm-pages.ts';

const orderForm = z.object({ packageId: packageIdField, email: emailInput, key: keyInput.optional() });

/** How long `POST /order` waits for the outcome before it shows the order as it stands. */
const outcomeWaitMs = 10_000;

/** `/order`, `/order-queue`, and the live fragments of both for where no socket can be had. */
export function orderPages(deps: PageDeps): Hono {
  const sendProblem = problemPages(deps);
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
    );
}

async function showFragments(c: Context, deps: PageDeps): Promise<Response> {
  const view = pageSetting(deps);
  c.header('Cache-Control', 'no-store');
  const snapshots = await deps.engine.packages();
  return c.html(snapshots.map((snapshot) => String(packageFragment(snapshot, view))).join(''));
}

async function showForm(c: Context, deps: PageDeps, mode: OrderMode): Promise<Response> {
  const snapshots = await deps.engine.packages();
  const chosen = c.req.query('package');
  const choice = chosen === undefined ? {} : { chosen };
  return sendPage(c, orderPage(pageSetting(deps), { mode, snapshots, key: freshKey(deps), ...choice }));
}

async function buy(c: Context, deps: PageDeps, mode: OrderMode): Promise<Response> {
  const form = await readForm(c, orderForm);
  if ('errors' in form) {
    const paths = form.errors.map(({ path }) => path);
    const fields = { packageId: paths.includes('packageId'), email: paths.includes('email') };
    return showError(c, deps, { mode, entered: form.fields, code: 'invalid', fields });
  }
  const { packageId, email, key = freshKey(deps) } = form.value;
  const tooMany = await takeEmail(c, deps.limits, email);
  if (tooMany !== undefined) {
    const { retryAfterS } = tooMany;
    return showError(c, deps, { mode, entered: form.fields, code: 'rate_limited', fields: {}, retryAfterS });
  }
  const gone = c.req.raw.signal;
  const result = await deps.engine.purchase({ packageId, email, key, gone });
  const metrics = deps.telemetry?.metrics;
  if (result.kind === 'refused') metrics?.purchase(result.code);
  if (result.kind === 'refused' && result.order === undefined) {
    return showError(c, deps, { mode, entered: form.fields, code: result.code, fields: {} });
  }
  const order = result.order as Order;
  await rememberOrder(c, deps.settings, order.id);
  const latest = mode === 'order' ? await deps.engine.outcome(order, { waitMs: outcomeWaitMs, gone }) : order;
  if (result.kind === 'accepted') metrics?.purchase(purchaseOutcome(latest));
  const fromQueue = mode === 'order-queue';
  return c.redirect(await addressToShow(c, deps.settings, order.id, { fromQueue }), 303);
}

interface FailedTry {
  readonly mode: OrderMode;
  readonly entered: Readonly<Record<string, string>>;
  readonly code: ErrorCode;
  readonly fields: OrderFieldErrors;
  readonly retryAfterS?: number | undefined;
}

/** The form again, with what was entered; its key stays where repeating the same request is the thing to do. */
async function showError(c: Context, deps: PageDeps, failed: FailedTry): Promise<Response> {
  const { mode, entered, code, fields, retryAfterS } = failed;
  const { email = '', packageId: chosen = '', key: sentKey } = entered;
  const kept = keyInput.safeParse(sentKey);
  const key = kept.success && errorKind(code).retry === 'later' ? kept.data : freshKey(deps);
  const snapshots = await deps.engine.packages();
  const error = { code, fields, retryAfterS };
  const page = orderPage(pageSetting(deps), { mode, snapshots, key, email, chosen, error });
  return sendErrorPage(c, page, code, retryAfterS);
}
