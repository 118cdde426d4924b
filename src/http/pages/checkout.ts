import type { Context, Hono } from 'hono';
import { z } from 'zod';
import type { PaymentEntry, PaymentProvider } from '../../suppliers/suppliers.ts';
import type { HttpSettings } from '../app-services.ts';
import { inertPolicy } from '../json.ts';
import { serveRoutes } from '../methods.ts';
import { ProblemError, problem } from '../problem.ts';
import { readForm } from '../request.ts';
import { chooseLanguage } from './language.ts';
import { type Html, markup } from './markup.ts';
import { type Texts, textsOf } from './texts/index.ts';

const form = z.object({ act: z.enum(['pay', 'decline']) });

/**
 * The page of the simulated payment provider, at `/:number`. Its buyer pays there, declines, or does nothing. The number is
 * random, and whoever knows it may pay.
 */
export function checkoutRoutes(
  provider: PaymentProvider,
  settings: Pick<HttpSettings, 'publicOrigin'>,
): Hono {
  const numberOf = (c: Context) => c.req.param('number') ?? '';

  async function show(c: Context): Promise<Response> {
    const payment = await provider.checkout(numberOf(c));
    if (payment === undefined) return problem(c, 'unknown_payment');
    return sendPage(c, page(payment, textsOf(chooseLanguage(c, settings))));
  }

  /** Also for a payment that is not due any more: the page may have been open since. */
  async function act(c: Context): Promise<Response> {
    const read = await readForm(c, form);
    if ('errors' in read) throw new ProblemError('invalid', { errors: read.errors });
    const payment = await provider.act(numberOf(c), read.value.act);
    return payment === undefined ? problem(c, 'unknown_payment') : c.redirect(payment.returnUrl, 303);
  }

  return serveRoutes({ '/:number': { GET: show, POST: act } });
}

/** The page has no scripts and no styles. Forms may lead to the shop, which has another origin. */
function sendPage(c: Context, html: Html): Response {
  return c.html(String(html), 200, {
    'Cache-Control': 'no-store',
    'Content-Security-Policy': inertPolicy,
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
  });
}

function page(
  { status, amount, currency, key, returnUrl }: PaymentEntry,
  { checkout: texts, formats, language }: Texts,
): Html {
  const isOpen = status === 'due' || status === 'cancelled';
  const due = markup`<b>${formats.amount(amount, currency)}</b>`;
  return markup`<!doctype html>
    <html lang="${language}">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="robots" content="noindex">
        <title>${texts.title}</title>
      </head>
      <body>
        <main>
          <h1>${texts.title}</h1>
          <p>${texts.order(key, due)} ${texts.noMoney}</p>
          <p id="status">${texts.status[status]}</p>
          ${
            isOpen
              ? markup`
                  <form method="post">
                    <button id="pay" name="act" value="pay">${texts.pay}</button>
                    <button id="decline" name="act" value="decline">${texts.decline}</button>
                  </form>`
              : ''
          }
          <p><a id="back" href="${returnUrl}">${isOpen ? texts.backUnpaid : texts.back}</a></p>
        </main>
      </body>
    </html>`;
}
