import { type Context, Hono } from 'hono';
import { z } from 'zod';
import type { Order } from '../../domain/order.ts';
import { parseOrderId } from '../../domain/order.ts';
import { readForm } from '../body.ts';
import { recentOrders, rememberOrder } from '../cookies.ts';
import { emailInput, isSameEmail } from '../inputs.ts';
import { limitedPage } from '../limits/limited.ts';
import { lookingPage, nothingSentNote } from './lost-order-pages.ts';
import type { LostOrderFinder } from './lost-orders.ts';
import { addressToShow } from './order-address.ts';
import { queryPage } from './query-page.ts';
import { type PageServices, renderContext, sendErrorPage, sendPage } from './responses.ts';

/** Whatever is in the fields is looked up or misses: there is one neutral answer for every miss (rule Q10). */
const queryForm = z.object({ id: z.string().catch(''), email: z.string().catch('') });

/** Looked up in place of what cannot be an id, so that every miss costs the same. */
const missingId = '0000-0000-0000-0000';

/** `/query`: look up an order by number and email; this browser's recent orders above. */
export function queryPages(deps: PageServices, sent: LostOrderFinder): Hono {
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

async function showForm(c: Context, deps: PageServices, sent: LostOrderFinder): Promise<Response> {
  const { found, isPending, isNone } = await sent.find(c, true);
  if (isPending && !sent.hasScript(c)) return sendPage(c, lookingPage(renderContext(deps)));
  const recent = [...found, ...(await recentOf(c, deps))];
  return sendPage(
    c,
    queryPage(renderContext(deps), { recent, ...(isNone ? { note: nothingSentNote() } : {}) }),
  );
}

async function lookUp(c: Context, deps: PageServices): Promise<Response> {
  const form = await readForm(c, queryForm);
  const { id = '', email = '' } = form.fields;
  const order = await findOrder(deps, id, email);
  if (order === undefined) {
    const state = { recent: await recentOf(c, deps), id, email, isMiss: true };
    return sendErrorPage(c, queryPage(renderContext(deps), state), 'unknown_order');
  }
  await rememberOrder(c, deps.settings, order.id);
  return c.redirect(await addressToShow(c, deps.settings, order.id), 303);
}

async function findOrder(
  { engine }: PageServices,
  idText: string,
  email: string,
): Promise<Order | undefined> {
  const id = orderIdIn(idText);
  const given = emailInput.safeParse(email);
  const order = await engine.order(id ?? missingId);
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
async function recentOf(c: Context, { engine, settings }: PageServices): Promise<Order[]> {
  const ids = await recentOrders(c, settings);
  const orders = await Promise.all(ids.map((id) => engine.order(id)));
  return orders.filter((order) => order !== undefined);
}
