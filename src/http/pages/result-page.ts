import type { ErrorCode } from '../../domain/errors.ts';
import { currencyOf, isSettled, type Order } from '../../domain/order.ts';
import { alertBox } from './elements.ts';
import { confirmBody, givingUp, offersAgain, orderFragment, tabTitle } from './fragments/order.ts';
import type { LiveOrderState } from './fragments/order-text.ts';
import { liveChip, page, type RenderContext } from './layout.ts';
import { type Html, markup } from './markup.ts';
import type { OrderMode } from './order-page.ts';
import { orderAddress } from './responses.ts';

interface ResultPageState {
  readonly order: Order;
  readonly live: Omit<LiveOrderState, 'now'>;
  /** The order's signature, for the socket, polling and the private link. */
  readonly proof: string;
  /** Whether the browser accepts no cookies. Then the page's forms and links include the signature. */
  readonly actsByProof: boolean;
  /** The page that the order was made on, to which `Try again` leads. */
  readonly mode: OrderMode;
  /** A new Idempotency-Key for `Try again`. */
  readonly key: string;
  /** The host or origin that the private link shows, such as `tickets.example`. */
  readonly host: string;
  /** Whether to ask the buyer to confirm leaving the queue or cancelling the trip. */
  readonly asksToConfirm?: boolean;
  /** Why the last action failed. */
  readonly error?: ErrorCode;
}

/** How often a browser without JavaScript reloads the page, in seconds. */
const refreshS = 2;

/** An order's page. The page is live until nothing can change any more. */
export function resultPage(context: RenderContext, state: ResultPageState): Html {
  const { order, proof, error, asksToConfirm = false } = state;
  const live: LiveOrderState = { ...state.live, now: context.now };
  const { flight, stay, price } = order.package;
  const { errors, formats } = context.texts;
  const hasEnded = isSettled(order);
  const fromQueue = state.mode === 'order-queue';
  const urlProof = state.actsByProof ? proof : undefined;
  const cancelAddress = orderAddress(order.id, { toCancel: true, fromQueue }, urlProof);
  return page(context, {
    title: tabTitle(order, live, context.texts),
    address: orderAddress(order.id, { fromQueue, cookieSet: state.actsByProof }, urlProof),
    ...(hasEnded || asksToConfirm ? {} : { refreshS }),
    ...(hasEnded && !offersAgain(order)
      ? {}
      : {
          live: {
            socket: `/live?topic=order:${order.id}&proof=${proof}`,
            poll: `/orders/${order.id}/fragment?proof=${proof}`,
            script: 'result.js',
          },
        }),
    main: markup`
      <div class="narrow">
        <div class="trip">
          <p class="trip-words"><b dir="auto">${flight}</b> <span>${formats.night(stay)}</span> <span>${formats.price(price, currencyOf(order, context.currency))}</span></p>
          ${hasEnded ? '' : liveChip(context.now, context.texts)}
        </div>
        ${error === undefined ? '' : alertBox(errors[error], { focus: true })}
        ${giveUp(state, context)}
        ${orderFragment(order, live, context.texts)}
        ${findAgain(context, state)}
        <form id="cancel" method="post" action="${cancelAddress}"></form>
        <form id="calendar" action="/orders/${order.id}/calendar.ics">
          <input type="hidden" name="lang" value="${context.texts.language}">
          ${state.actsByProof ? markup`<input type="hidden" name="proof" value="${proof}">` : ''}
        </form>
        <form id="again" method="post" action="/${state.mode}">
          <input type="hidden" name="key" value="${state.key}" autocomplete="off">
          <input type="hidden" name="packageId" value="${order.packageId}">
          <input type="hidden" name="email" value="${order.email}">
        </form>
      </div>`,
  });
}

/**
 * Lets the buyer leave the queue or cancel without JavaScript. Shows a link to the confirmation, or the confirmation
 * itself, on a page that does not reload.
 */
function giveUp(
  { order, proof, actsByProof, mode, asksToConfirm }: ResultPageState,
  { texts: { result: texts }, now }: RenderContext,
): Html | '' {
  const step = givingUp(order, texts, now);
  if (step === undefined) return '';
  const parts = { fromQueue: mode === 'order-queue', cookieSet: actsByProof };
  const address = (asks: boolean) =>
    orderAddress(order.id, { ...parts, asksToConfirm: asks }, actsByProof ? proof : undefined);
  if (!asksToConfirm) {
    return markup`<noscript><p><a class="button quiet" href="${address(true)}">${step.label}</a></p></noscript>`;
  }
  return markup`
    <noscript><section class="card asked" aria-labelledby="asked">
      <h2 id="asked">${texts.question(step.label)}</h2>
      ${confirmBody(step, texts, address(false))}
    </section></noscript>`;
}

/**
 * Tells the buyer how to find the order again; works without JavaScript. This part is outside of the live fragment, so
 * its text must be true for every status.
 */
function findAgain(
  { sendsMails = false, texts: { findAgain: texts, layout } }: RenderContext,
  { order, proof, host, actsByProof }: ResultPageState,
): Html {
  const link = orderAddress(order.id, {}, proof);
  const myOrders = markup`<a href="/query">${layout.myOrders}</a>`;
  return markup`
    <section class="card find-again" id="find-again" aria-labelledby="find-again-title">
      <h2 id="find-again-title">${texts.title}</h2>
      <p>${actsByProof ? texts.notListed(myOrders) : texts.listed(myOrders)} ${sendsMails ? texts.sent : texts.notSent}</p>
      <p><button class="button quiet needs-script" type="button" data-copy="${order.id}" id="copy-number">${texts.copyNumber}</button></p>
      <p>${texts.privateLink}</p>
      <p><a class="private-link" href="${link}" rel="nofollow">${host}${link}</a></p>
      <p><button class="button quiet needs-script" type="button" data-copy-link="${link}" id="copy-link">${texts.copyLink}</button></p>
    </section>`;
}
