import type { ErrorCode } from '../../domain/errors.ts';
import { errorKind } from '../../domain/errors.ts';
import { isSettled, type Order } from '../../domain/order.ts';
import { alertBox } from './alert.ts';
import { type OrderLive, orderFragment, tabTitle } from './fragments/index.ts';
import { liveChip, type PageSetting, page } from './layout.ts';
import { type Html, markup } from './markup.ts';
import type { OrderMode } from './order-page.ts';
import { nightWords, priceWords } from './words.ts';

export interface ResultPageState {
  readonly order: Order;
  readonly live: Omit<OrderLive, 'now'>;
  /** Lets whoever has it see the order: for the socket, polling and the private link. */
  readonly proof: string;
  /** The browser takes no cookies: what is sent from the page carries the proof too. */
  readonly actsByProof: boolean;
  /** The page that the order was made on; `Try again` goes there. */
  readonly mode: OrderMode;
  /** A fresh Idempotency-Key, for `Try again`. */
  readonly key: string;
  /** Why the last action did not work. */
  readonly error?: ErrorCode;
}

/** How long a browser without JavaScript waits before it asks again. */
const refreshS = 2;

/** Outcome or place in line; live until the order has ended. */
export function resultPage(setting: PageSetting, state: ResultPageState): Html {
  const { order, proof, error } = state;
  const live: OrderLive = { ...state.live, now: setting.now };
  const { flight, stay, price } = order.package;
  const hasEnded = isSettled(order);
  const address = `/orders/${order.id}`;
  return page(setting, {
    title: tabTitle(order, live),
    ...(hasEnded
      ? {}
      : {
          refreshS,
          live: {
            socket: `/live?topic=order:${order.id}&proof=${proof}`,
            poll: `${address}/fragment?proof=${proof}`,
            script: 'result.js',
          },
        }),
    main: markup`
      <div class="narrow">
        <div class="trip">
          <p class="trip-words"><b>${flight}</b> <span>${nightWords(stay)}</span> <span>${priceWords(price, setting.currency)}</span></p>
          ${hasEnded ? '' : liveChip(setting.now)}
        </div>
        ${error === undefined ? '' : alertBox(errorKind(error).words, { focus: true })}
        ${orderFragment(order, live)}
        <p class="after">
          <button class="button quiet needs-script" type="button" data-copy-link="${address}?proof=${proof}" id="copy-link">Copy a private link to this order</button>
          <a class="button quiet" href="/query">All my orders</a>
        </p>
        <form id="cancel" method="post" action="${address}/cancel${state.actsByProof ? `?proof=${proof}` : ''}"></form>
        <form id="again" method="post" action="/${state.mode}">
          <input type="hidden" name="key" value="${state.key}" autocomplete="off">
          <input type="hidden" name="packageId" value="${order.packageId}">
          <input type="hidden" name="email" value="${order.email}">
        </form>
      </div>`,
  });
}
