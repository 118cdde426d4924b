import { type Context, Hono } from 'hono';
import { z } from 'zod';
import { parseOrderId } from '../../domain/ids.ts';
import type { Order } from '../../domain/order.ts';
import { readForm } from '../body.ts';
import { recentOrders, rememberOrder } from '../cookies.ts';
import { emailInput, isSameEmail } from '../inputs.ts';
import { limitedPage } from '../limits/limited.ts';
import { addressToShow } from './order-address.ts';
import { type PageDeps, pageSetting, sendErrorPage, sendPage } from './page-kit.ts';
import { queryPage } from './query-page.ts';
import type { SentOrderFinder } from './sent-orders.ts';
import { lookingPage, nothingSentNote } from './sent-pages.ts';

/** Whatever is in the fields is looked up or misses: there is one neutral answer for every miss (rule Q10). */
const queryForm = z.object({ id: z.string().catch(''), email: z.string().catch('') });

/** Looked up in place of what cannot be an id, so that every miss costs the same. */
const nobodysId = '0000-0000-0000-0000';

/** `/query`: look up an order by number and email; this browser's recent orders above. */
export function queryPages(deps: PageDeps, sent: SentOrderFinder): Hono {
  return new Hono()
    .get(
      '/query',
      limitedPage(deps.limits?.lookUp, (c) => showForm(c, deps, sent)),
    )
    .post(
      '/query',
      limitedPage(deps.limits?.lookUp, (c) => lookUp(c, deps)),
    );
}

async function showForm(c: Context, deps: PageDeps, sent: SentOrderFinder): Promise<Response> {
  const { found, isPending, isNone } = await sent.find(c, true);
  if (isPending && !sent.hasScript(c)) return sendPage(c, lookingPage(pageSetting(deps)));
  const recent = [...found, ...(await recentOf(c, deps))];
  return sendPage(
    c,
    queryPage(pageSetting(deps), { recent, ...(isNone ? { note: nothingSentNote() } : {}) }),
  );
}

async function lookUp(c: Context, deps: PageDeps): Promise<Response> {
  const form = await readForm(c, queryForm);
  const { id = '', email = '' } = form.fields;
  const order = await findOrder(deps, id, email);
  if (order === undefined) {
    const state = { recent: await recentOf(c, deps), id, email, isMiss: true };
    return sendErrorPage(c, queryPage(pageSetting(deps), state), 'unknown_order');
  }
  await rememberOrder(c, deps.settings, order.id);
  return c.redirect(await addressToShow(c, deps.settings, order.id), 303);
}

async function findOrder({ engine }: PageDeps, idText: string, email: string): Promise<Order | undefined> {
  const id = orderIdIn(idText);
  const given = emailInput.safeParse(email);
  const order = await engine.order(id ?? nobodysId);
  const matches = isSameEmail(order?.email ?? '', given.success ? given.data : '-');
  return matches && id !== undefined ? order : undefined;
}

/** The order id in whatever was pasted: the number alone, a sentence with it, or an order page's address. */
export function orderIdIn(text: string): string | undefined {
  const inText = /(?<![0-9a-z])(?:[0-9a-z]{4}[\p{Pd}\s]?){3}[0-9a-z]{4}(?![0-9a-z])/iu.exec(
    text.slice(0, 500),
  );
  return parseOrderId(text) ?? (inText === null ? undefined : parseOrderId(inText[0]));
}

/** Those that are still there, newest first. */
async function recentOf(c: Context, { engine, settings }: PageDeps): Promise<Order[]> {
  const ids = await recentOrders(c, settings);
  const orders = await Promise.all(ids.map((id) => engine.order(id)));
  return orders.filter((order) => order !== undefined);
}
