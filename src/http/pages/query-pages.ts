import type { Context } from 'hono';
import { z } from 'zod';
import { type Order, parseOrderId } from '../../domain/order.ts';
import { limited } from '../limits.ts';
import type { RouteTable } from '../methods.ts';
import { orderOf, recentOrders, rememberOrders } from '../order-access.ts';
import type { SendProblem } from '../problem.ts';
import { readForm } from '../request.ts';
import { alertBox, icon } from './elements.ts';
import { orderText } from './fragments/order-text.ts';
import { page, type RenderContext } from './layout.ts';
import { lookingPage, nothingSentNote } from './lost-order-pages.ts';
import type { LostOrderFinder } from './lost-orders.ts';
import { type Html, markup } from './markup.ts';
import { addressToShow, type PageServices, renderContext, sendErrorPage, sendPage } from './responses.ts';
import type { Texts } from './texts/index.ts';

/**
 * A form that accepts any input, because malformed input gets the same answer as every other failed look-up (promise
 * Q10).
 */
const queryForm = z.object({ id: z.string().catch(''), email: z.string().catch('') });

/** `/query`: this browser's recent orders, and a form to look up an order by number and email. */
export function queryPages(services: PageServices, sent: LostOrderFinder, show: SendProblem): RouteTable {
  const limit = services.limits?.lookUp;
  return {
    '/query': {
      GET: limited(limit, (c) => showForm(c, services, sent), show),
      POST: limited(limit, (c) => lookUp(c, services), show),
    },
  };
}

async function showForm(c: Context, services: PageServices, sent: LostOrderFinder): Promise<Response> {
  const { found, isPending, isNone } = await sent.find(c, true);
  const context = renderContext(c, services);
  if (isPending && !sent.hasScript(c)) return sendPage(c, lookingPage(context));
  const recent = [...found, ...(await recentOf(c, services))];
  return sendPage(c, queryPage(context, { recent, ...(isNone ? { note: nothingSentNote(context) } : {}) }));
}

async function lookUp(c: Context, services: PageServices): Promise<Response> {
  const form = await readForm(c, queryForm);
  const { id = '', email = '' } = form.fields;
  const order = await orderOf(services.engine, orderIdIn(id), email);
  if (order === undefined) {
    const state = { recent: await recentOf(c, services), id, email, isMiss: true };
    return sendErrorPage(c, queryPage(renderContext(c, services), state), 'unknown_order');
  }
  await rememberOrders(c, services.settings, order.id);
  return c.redirect(await addressToShow(c, services.settings, order.id), 303);
}

/** Finds the order id in a pasted text: an id alone, a sentence that contains the id, or the URL of an order's page. */
export function orderIdIn(text: string): string | undefined {
  const inText = /(?<![0-9a-z])(?:[0-9a-z]{4}[\p{Pd}\s]?){3}[0-9a-z]{4}(?![0-9a-z])/iu.exec(
    text.slice(0, 500),
  );
  return parseOrderId(text) ?? (inText === null ? undefined : parseOrderId(inText[0]));
}

/** This browser's orders that still exist, newest first. */
async function recentOf(c: Context, { engine, settings }: PageServices): Promise<Order[]> {
  const ids = await recentOrders(c, settings);
  const orders = await Promise.all(ids.map((id) => engine.order(id)));
  return orders.filter((order) => order !== undefined);
}

interface QueryPageState {
  /** This browser's orders, newest first. */
  readonly recent: readonly Order[];
  /** A note to show below the list. */
  readonly note?: Html;
  /** The previous input, unchanged. */
  readonly id?: string;
  readonly email?: string;
  /** Whether a look-up found no order. */
  readonly isMiss?: boolean;
}

function queryPage(context: RenderContext, state: QueryPageState): Html {
  const { recent, id = '', email = '', isMiss = false } = state;
  const { errors, query } = context.texts;
  return page(context, {
    title: isMiss ? query.missTitle : query.title,
    current: 'query',
    main: markup`
      <div class="narrow">
        <h1>${query.title}</h1>
        ${isMiss ? alertBox(errors.unknown_order, { focus: true }) : ''}
        <section class="part" aria-labelledby="recent">
          <h2 id="recent">${query.recent}</h2>
          ${
            recent.length === 0
              ? markup`<p class="card empty">${query.none((label) => markup`<a href="/order">${label}</a>`)}</p>`
              : markup`<ul class="card recent">${recent.map((order) => recentOrder(order, context.texts))}</ul>`
          }
          ${state.note ?? ''}
        </section>
        <section class="part" aria-labelledby="look-up">
          <h2 id="look-up">${query.lookUp}</h2>
          <p class="soft">${query.needed}</p>
          <form class="card look-up" method="post" action="/query">
            <div class="field">
              <label for="id">${query.number}</label>
              <input id="id" name="id" type="text" required autocomplete="off" autocapitalize="characters"
                spellcheck="false" maxlength="300" value="${id}" placeholder="7Q4M-9XKD-2VBN-H5TR" aria-describedby="id-note">
              <p class="field-note" id="id-note">${query.numberNote}</p>
            </div>
            <div class="field">
              <label for="email">${query.email}</label>
              <input id="email" name="email" type="email" autocomplete="email" inputmode="email" required
                maxlength="254" spellcheck="false" autocapitalize="none" value="${email}">
            </div>
            <button class="button primary" type="submit" data-busy="${query.looking}"><span class="button-label">${query.show}</span></button>
          </form>
        </section>
      </div>`,
  });
}

function recentOrder(order: Order, texts: Texts): Html {
  const { title, tone, icon: name } = orderText(order, { inProgress: 0, now: 0 }, texts);
  const { formats } = texts;
  const { flight, stay } = order.package;
  return markup`
    <li><a class="recent-link" href="/orders/${order.id}">
      <span class="recent-icon tone-${tone}">${icon(name)}</span>
      <span class="recent-trip"><b><bdi>${flight}</bdi>, ${formats.night(stay)}</b>
        <span class="recent-more"><b class="tone-${tone}">${title}</b> <code>${order.id}</code>
          <time class="moment" datetime="${new Date(order.createdAt).toISOString()}">${formats.dateTime(order.createdAt)}</time></span></span>
    </a></li>`;
}
