import { currencyOf, type OrderStatus, unfinishedStatuses } from '../../domain/order.ts';
import type { RenderContext } from '../../http/pages/layout.ts';
import { type Html, markup } from '../../http/pages/markup.ts';
import type { FieldError } from '../../http/problem.ts';
import type { Page } from '../../lib/page.ts';
import { ordersQuery } from '../api/requests.ts';
import type { AdminOrder, OrdersQuery } from '../order-service.ts';
import { field } from './field.ts';
import { formatDateTime, formatNight, formatPrice, formatTime, paymentWords, statusWords } from './format.ts';
import { orderActions, orderState, ordersTable } from './fragments/orders.ts';
import type { AdminPageParts } from './layout.ts';
import { heading } from './layout.ts';

/** The search as the operator entered it. */
export interface OrdersSearch {
  readonly id: string;
  readonly package: string;
  readonly status: string;
}

/** The page that finds orders by number, package and status, newest first. */
export function ordersPage(
  { now }: RenderContext,
  search: OrdersSearch,
  { items: orders, next }: Page<AdminOrder>,
  alert?: string,
): AdminPageParts {
  const option = (value: string, label: string) =>
    markup`<option value="${value}"${value === search.status ? markup` selected` : ''}>${label}</option>`;
  const status = isStatus(search.status) ? search.status : '';
  const exported = new URLSearchParams({ package: search.package, status });
  const more = new URLSearchParams({ package: search.package, status: search.status, cursor: next ?? '' });
  return {
    title: 'Orders',
    current: 'orders',
    alert,
    main: markup`
      ${heading('Orders', markup`<a class="small-button" href="/admin/export?${exported.toString()}">Export</a>`)}
      <form class="card form form-bar" method="get" action="/admin/orders">
        ${field({ name: 'id', label: 'Order number', value: search.id, maxLength: 300 })}
        ${field({ name: 'package', label: 'Package', value: search.package, type: 'number', min: 1 })}
        <div class="field"><label for="status">Status</label>
          <select id="status" name="status">
            ${option('', 'Any')}${option('stuck', 'Stuck or slow')}
            ${Object.entries(statusWords).map(([value, label]) => option(value, label))}
          </select></div>
        <button class="button primary" type="submit"><span class="button-label">Find</span></button>
      </form>
      ${emailSearch('')}
      ${ordersTable(orders, now, { caption: 'Orders', empty: next === undefined ? 'No matching orders.' : 'No matches so far. There are more orders to search.' })}
      ${next === undefined ? '' : markup`<p><a class="button quiet" href="/admin/orders?${more.toString()}">More</a></p>`}`,
  };
}

/** The form is sent by POST, so that no email appears in an address or in the log. */
function emailSearch(email: string, errors: readonly FieldError[] = []): Html {
  return markup`
    <form class="card form form-bar" method="post" action="/admin/orders/search">
      ${field({ name: 'email', label: 'Email', value: email, type: 'email', required: true, maxLength: 320, autocomplete: 'off' }, errors)}
      <button class="button primary" type="submit"><span class="button-label">Find by email</span></button>
    </form>`;
}

export interface EmailSearchState {
  readonly email: string;
  readonly found?: Page<AdminOrder>;
  readonly errors?: readonly FieldError[];
}

/** The page with the orders of one email. */
export function emailOrdersPage({ now }: RenderContext, state: EmailSearchState): AdminPageParts {
  const { email, found, errors } = state;
  return {
    title: 'Orders of an email',
    current: 'orders',
    main: markup`
      ${heading('Orders of an email')}
      ${emailSearch(email, errors)}
      ${found === undefined ? '' : ordersTable(found.items, now, { caption: 'Orders of this email', empty: 'No order with this email.' })}
      ${found?.next === undefined ? '' : moreOf(email, found.next)}
      <p><a class="button quiet" href="/admin/orders">All orders</a></p>`,
  };
}

function moreOf(email: string, cursor: string): Html {
  return markup`
    <form method="post" action="/admin/orders/search">
      <input type="hidden" name="email" value="${email}" autocomplete="off">
      <input type="hidden" name="cursor" value="${cursor}" autocomplete="off">
      <p><button class="button quiet" type="submit">More</button></p>
    </form>`;
}

/** In the form, `stuck` is one of the statuses. */
export function queryOf(search: OrdersSearch, packageId: number | undefined, cursor?: string): OrdersQuery {
  const { status } = search;
  const known = ordersQuery.safeParse({ cursor });
  return {
    ...(packageId === undefined ? {} : { packageId }),
    ...(status === 'stuck' ? { stuck: true } : isStatus(status) ? { status } : {}),
    ...(known.success && known.data.cursor !== undefined ? { cursor: known.data.cursor } : {}),
  };
}

function isStatus(text: string): text is OrderStatus {
  return Object.hasOwn(statusWords, text);
}

/** The page of one order. */
export function orderPage(setting: RenderContext, operated: AdminOrder, alert?: string): AdminPageParts {
  const { order } = operated;
  const { id, packageId, package: offer } = order;
  const isUnderWay = unfinishedStatuses.includes(order.status);
  return {
    title: `Order ${id}`,
    current: 'orders',
    alert,
    // This page has no live updates, so it reloads itself.
    ...(isUnderWay ? { refreshS: 5 } : {}),
    main: markup`
      ${heading(markup`<code>${id}</code>`, markup`<div class="row-actions">${orderActions(operated)}</div>`)}
      <div class="forms">
        <dl class="card known">
          ${known('Status', orderState(operated, setting.now))}
          ${order.reason === undefined ? '' : known('Reason', order.reason)}
          ${known('Package', markup`<a href="/admin/packages/${packageId}">${packageId}</a> <bdi>${offer.flight}</bdi>, ${formatNight(offer.stay)}, ${formatPrice(offer.price, currencyOf(order, setting.currency))}`)}
          ${known('Number', `${order.number} of its package`)}
          ${known('Email', order.email)}
          ${known('Ordered', formatDateTime(order.createdAt))}
          ${order.payment === undefined ? '' : known('Payment', paymentWords(order.payment))}
          ${known('Flight ticket', order.flight?.ticketNumber ?? 'none')}
          ${known('Hotel reservation', order.hotel?.reservationNumber ?? 'none')}
        </dl>
        <section class="card known-story" aria-labelledby="story">
          <h2 id="story">What happened</h2>
          <ol class="timeline">${order.timeline.map(
            ({ at, event, detail }) => markup`
              <li><time datetime="${new Date(at).toISOString()}">${formatTime(at)}</time>
                <span>${event}${detail === undefined ? '' : markup` <code>${detail}</code>`}</span></li>`,
          )}</ol>
        </section>
      </div>`,
  };
}

function known(label: string, value: Html | string): Html {
  return markup`<div><dt>${label}</dt><dd>${value}</dd></div>`;
}
