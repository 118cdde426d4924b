import { type ErrorCode, errorKind } from '../../domain/errors.ts';
import { isSettled, type Order } from '../../domain/order.ts';
import { alertBox } from './elements.ts';
import { formatNight, formatPrice } from './format.ts';
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
  const hasEnded = isSettled(order);
  const address = `/orders/${order.id}`;
  const cancelAddress = orderAddress(
    order.id,
    { toCancel: true, fromQueue: state.mode === 'order-queue' },
    state.actsByProof ? proof : undefined,
  );
  return page(context, {
    title: tabTitle(order, live),
    ...(hasEnded || asksToConfirm ? {} : { refreshS }),
    ...(hasEnded && !offersAgain(order)
      ? {}
      : {
          live: {
            socket: `/live?topic=order:${order.id}&proof=${proof}`,
            poll: `${address}/fragment?proof=${proof}`,
            script: 'result.js',
          },
        }),
    main: markup`
      <div class="narrow">
        <div class="trip">
          <p class="trip-words"><b dir="auto">${flight}</b> <span>${formatNight(stay)}</span> <span>${formatPrice(price, context.currency)}</span></p>
          ${hasEnded ? '' : liveChip(context.now)}
        </div>
        ${error === undefined ? '' : alertBox(errorKind(error).words, { focus: true })}
        ${giveUp(state)}
        ${orderFragment(order, live)}
        ${findAgain(state)}
        <form id="cancel" method="post" action="${cancelAddress}"></form>
        <form id="calendar" action="${address}/calendar.ics">${state.actsByProof ? markup`<input type="hidden" name="proof" value="${proof}">` : ''}</form>
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
function giveUp({ order, proof, actsByProof, mode, asksToConfirm }: ResultPageState): Html | '' {
  const step = givingUp(order);
  if (step === undefined) return '';
  const parts = { fromQueue: mode === 'order-queue', cookieSet: actsByProof };
  const address = (asks: boolean) =>
    orderAddress(order.id, { ...parts, asksToConfirm: asks }, actsByProof ? proof : undefined);
  if (!asksToConfirm) {
    return markup`<noscript><p><a class="button quiet" href="${address(true)}">${step.label}</a></p></noscript>`;
  }
  return markup`
    <noscript><section class="card asked" aria-labelledby="asked">
      <h2 id="asked">${step.label}?</h2>
      ${confirmBody(step, address(false))}
    </section></noscript>`;
}

/**
 * Tells the buyer how to find the order again; works without JavaScript. This part is outside of the live fragment, so
 * its text must be true for every status.
 */
function findAgain({ order, proof, host, actsByProof }: ResultPageState): Html {
  const link = orderAddress(order.id, {}, proof);
  return markup`
    <section class="card find-again" id="find-again" aria-labelledby="find-again-title">
      <h2 id="find-again-title">How to find this order again</h2>
      <p>${
        actsByProof
          ? markup`Under <a href="/query">My orders</a>`
          : markup`In this browser it is listed under <a href="/query">My orders</a>. Anywhere else`
      } you need its order number and your email; we do not send them to you.</p>
      <p><button class="button quiet needs-script" type="button" data-copy="${order.id}" id="copy-number">Copy order number</button></p>
      <p>Or keep this private link. Anyone who has it can see this order and your email, and do whatever you can do here.</p>
      <p><a class="private-link" href="${link}" rel="nofollow">${host}${link}</a></p>
      <p><button class="button quiet needs-script" type="button" data-copy-link="${link}" id="copy-link">Copy private link</button></p>
    </section>`;
}
