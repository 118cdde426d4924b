import type { ErrorCode } from '../../domain/errors.ts';
import { errorKind } from '../../domain/errors.ts';
import { isSettled, type Order } from '../../domain/order.ts';
import { alertBox } from './elements.ts';
import { formatNight, formatPrice } from './format.ts';
import { confirmBody, givingUp, offersAgain, orderFragment, tabTitle } from './fragments/order.ts';
import type { LiveOrderState } from './fragments/order-text.ts';
import { liveChip, page, type RenderContext } from './layout.ts';
import { type Html, markup } from './markup.ts';
import type { OrderMode } from './order-page.ts';
import { orderAddress } from './responses.ts';

export interface ResultPageState {
  readonly order: Order;
  readonly live: Omit<LiveOrderState, 'now'>;
  /** Lets whoever has it see the order: for the socket, polling and the private link. */
  readonly proof: string;
  /** The browser takes no cookies: what is sent from the page carries the proof too. */
  readonly actsByProof: boolean;
  /** The page that the order was made on; `Try again` goes there. */
  readonly mode: OrderMode;
  /** A fresh Idempotency-Key, for `Try again`. */
  readonly key: string;
  /** Where the page is served, for the private link to be read: `tickets.example`, or a whole origin. */
  readonly host: string;
  /** The buyer is asked whether to give up what there is. */
  readonly isAsking?: boolean;
  /** Why the last action did not work. */
  readonly error?: ErrorCode;
}

/** How long a browser without JavaScript waits before it asks again. */
const refreshS = 2;

/** Outcome or position in the queue; live until nothing can change any more. */
export function resultPage(setting: RenderContext, state: ResultPageState): Html {
  const { order, proof, error, isAsking = false } = state;
  const live: LiveOrderState = { ...state.live, now: setting.now };
  const { flight, stay, price } = order.package;
  const hasEnded = isSettled(order);
  const address = `/orders/${order.id}`;
  return page(setting, {
    title: tabTitle(order, live),
    ...(hasEnded || isAsking ? {} : { refreshS }),
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
          <p class="trip-words"><b dir="auto">${flight}</b> <span>${formatNight(stay)}</span> <span>${formatPrice(price, setting.currency)}</span></p>
          ${hasEnded ? '' : liveChip(setting.now)}
        </div>
        ${error === undefined ? '' : alertBox(errorKind(error).words, { focus: true })}
        ${giveUp(state)}
        ${orderFragment(order, live)}
        ${findAgain(state)}
        <form id="cancel" method="post" action="${address}/cancel${state.actsByProof ? `?proof=${proof}` : ''}"></form>
        <form id="again" method="post" action="/${state.mode}">
          <input type="hidden" name="key" value="${state.key}" autocomplete="off">
          <input type="hidden" name="packageId" value="${order.packageId}">
          <input type="hidden" name="email" value="${order.email}">
        </form>
      </div>`,
  });
}

/**
 * For who has no JavaScript: a link that asks whether to give up what there is, or the question itself, on a page that
 * does not load again by itself.
 */
function giveUp({ order, proof, actsByProof, mode, isAsking }: ResultPageState): Html | '' {
  const step = givingUp(order);
  if (step === undefined) return '';
  const parts = { fromQueue: mode === 'order-queue', cookieSet: actsByProof };
  const address = (isAsked: boolean) =>
    orderAddress(order.id, { ...parts, isAsked }, actsByProof ? proof : undefined);
  if (!isAsking) {
    return markup`<noscript><p><a class="button quiet" href="${address(true)}">${step.label}</a></p></noscript>`;
  }
  return markup`
    <noscript><section class="card asked" aria-labelledby="asked">
      <h2 id="asked">${step.label}?</h2>
      ${confirmBody(step, address(false))}
    </section></noscript>`;
}

/**
 * What is needed to come back to the order; all of it can be read and copied without JavaScript. It stands outside of the
 * live part, so what it says holds for every status.
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
