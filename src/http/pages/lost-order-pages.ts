import type { Order } from '../../domain/order.ts';
import { icon } from './elements.ts';
import { messagePage, page, type RenderContext } from './layout.ts';
import { type Html, markup } from './markup.ts';
import type { OrderMode } from './order-page.ts';

/** How often a browser without JavaScript reloads the page, in seconds. */
const lookAgainS = 2;

/** Shown while the outcome of a purchase is unknown. Reloads automatically. */
export function lookingPage(context: RenderContext): Html {
  const { layout, lostOrder } = context.texts;
  return messagePage(context, {
    title: lostOrder.looking,
    refreshS: lookAgainS,
    role: 'status',
    tone: 'waiting',
    icon: 'clock',
    headline: lostOrder.looking,
    text: markup`<p class="verdict-text">${lostOrder.lookingText}</p>`,
    actions: markup`<a class="button quiet" href="/query">${layout.myOrders}</a>`,
  });
}

/** Shown without JavaScript, because the server cannot distinguish a lost form from a form that was never sent. */
export function nothingSentNote({ texts }: RenderContext): Html {
  return markup`<noscript><p class="sent-note">${texts.lostOrder.nothingSent}</p></noscript>`;
}

interface AnotherPageState {
  readonly mode: OrderMode;
  /** This browser's order for the same trip. */
  readonly order: Order;
  /** The form's key. The confirmation sends the key and the email again. */
  readonly key: string;
  readonly email: string;
}

/** The form field that confirms a second purchase of the same trip. */
export const anotherField = 'another';

/** Asks for confirmation before a browser buys the same trip twice. */
export function anotherPage(context: RenderContext, { mode, order, key, email }: AnotherPageState): Html {
  const { formats, lostOrder } = context.texts;
  const { flight, stay, price } = order.package;
  const has = order.status === 'confirmed' ? lostOrder.hasPlace : lostOrder.hasOrdered;
  return page(context, {
    title: lostOrder.anotherTitle,
    current: 'order',
    main: markup`
      <div class="narrow">
        <form class="verdict verdict-neutral" method="post" action="/${mode}">
          <p class="verdict-icon">${icon('ticket')}</p>
          <h1 class="headline" tabindex="-1" autofocus>${has}</h1>
          <p class="verdict-text"><bdi>${flight}</bdi>, ${formats.night(stay)}. ${lostOrder.another(formats.price(price, context.currency))}</p>
          <input type="hidden" name="key" value="${key}" autocomplete="off">
          <input type="hidden" name="packageId" value="${order.packageId}">
          <input type="hidden" name="email" value="${email}">
          <input type="hidden" name="${anotherField}" value="yes">
          <div class="actions">
            <a class="button primary" href="/orders/${order.id}">${lostOrder.no}</a>
            <button class="button quiet" type="submit" data-busy="${lostOrder.ordering}"><span class="button-label">${lostOrder.yes}</span></button>
          </div>
        </form>
      </div>`,
  });
}
