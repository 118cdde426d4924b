import { errorKind } from '../../domain/errors.ts';
import type { Order } from '../../domain/order.ts';
import { alertBox } from './alert.ts';
import { formatDateTime, formatNight } from './format.ts';
import { orderText } from './fragments/order-text.ts';
import { icon } from './icons.ts';
import { page, type RenderContext } from './layout.ts';
import { type Html, markup } from './markup.ts';

export interface QueryPageState {
  /** This browser's orders, newest first. */
  readonly recent: readonly Order[];
  /** Stands below the list. */
  readonly note?: Html;
  /** What was entered before, as it came. */
  readonly id?: string;
  readonly email?: string;
  /** The one answer to every miss. */
  readonly isMiss?: boolean;
}

/** This browser's recent orders, and a form for any other. */
export function queryPage(setting: RenderContext, state: QueryPageState): Html {
  const { recent, id = '', email = '', isMiss = false } = state;
  return page(setting, {
    title: isMiss ? 'Order not found' : 'My orders',
    current: 'query',
    main: markup`
      <div class="narrow">
        <h1>My orders</h1>
        ${isMiss ? alertBox(errorKind('unknown_order').words, { focus: true }) : ''}
        <section class="part" aria-labelledby="recent">
          <h2 id="recent">Recent in this browser</h2>
          ${
            recent.length === 0
              ? markup`<p class="card empty">No orders in this browser yet. <a href="/order">Order a trip</a>, or look up an order below.</p>`
              : markup`<ul class="card recent">${recent.map(recentOrder)}</ul>`
          }
          ${state.note ?? ''}
        </section>
        <section class="part" aria-labelledby="look-up">
          <h2 id="look-up">Look up an order</h2>
          <p class="soft">You need the order number, shown on the order’s page, and the email that you ordered with.</p>
          <form class="card look-up" method="post" action="/query">
            <div class="field">
              <label for="id">Order number</label>
              <input id="id" name="id" type="text" required autocomplete="off" autocapitalize="characters"
                spellcheck="false" maxlength="300" value="${id}" placeholder="7Q4M-9XKD-2VBN-H5TR" aria-describedby="id-note">
              <p class="field-note" id="id-note">16 letters and digits. Capitals, dashes and spaces do not matter.</p>
            </div>
            <div class="field">
              <label for="email">Email</label>
              <input id="email" name="email" type="email" autocomplete="email" inputmode="email" required
                maxlength="254" spellcheck="false" autocapitalize="none" value="${email}">
            </div>
            <button class="button primary" type="submit" data-busy="Looking…"><span class="button-label">Show the order</span></button>
          </form>
        </section>
      </div>`,
  });
}

function recentOrder(order: Order): Html {
  const { title, tone, icon: name } = orderText(order, { inProgress: 0, now: 0 });
  const { flight, stay } = order.package;
  return markup`
    <li><a class="recent-link" href="/orders/${order.id}">
      <span class="recent-icon tone-${tone}">${icon(name)}</span>
      <span class="recent-trip"><b><bdi>${flight}</bdi>, ${formatNight(stay)}</b>
        <span class="recent-more"><b class="tone-${tone}">${title}</b> <code>${order.id}</code>
          <time class="moment" datetime="${new Date(order.createdAt).toISOString()}">${formatDateTime(order.createdAt)}</time></span></span>
    </a></li>`;
}
