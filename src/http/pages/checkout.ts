import { createHash } from 'node:crypto';
import type { Context, Hono } from 'hono';
import { raw } from 'hono/html';
import { z } from 'zod';
import type { HttpLimits } from '../../rate-limits/limits.ts';
import type { PaymentEntry, PaymentProvider } from '../../suppliers/suppliers.ts';
import type { HttpSettings } from '../app-services.ts';
import { inertPolicy } from '../json.ts';
import { limited } from '../limits.ts';
import { type RouteHandler, serveRoutes } from '../methods.ts';
import { ProblemError, problem } from '../problem.ts';
import { readForm } from '../request.ts';
import { chooseLanguage } from './language.ts';
import { type Html, markup } from './markup.ts';
import { type Texts, textsOf } from './texts/index.ts';

/** Buttons that a thumb does not miss, and the colours of the browser, light or dark. */
const styles =
  ':root{color-scheme:light dark}' +
  'body{font:1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:2rem auto;padding:0 1rem}' +
  'button{font:inherit;min-height:3rem;padding:0 1.5rem;margin:0 .75rem .75rem 0}';
const stylesHash = createHash('sha256').update(styles).digest('base64');

const form = z.object({ act: z.enum(['pay', 'decline']) });

/**
 * The page of the simulated payment provider, at `/:number`. Its buyer pays there, declines, or does nothing. The number is
 * random, and whoever knows it may pay.
 */
export function checkoutRoutes(
  provider: PaymentProvider,
  settings: Pick<HttpSettings, 'publicOrigin'>,
  limits?: Pick<HttpLimits, 'lookUp'>,
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

  const byClient = (handle: RouteHandler) => limited(limits?.lookUp, handle);
  return serveRoutes({ '/:number': { GET: byClient(show), POST: byClient(act) } });
}

/** The page has no scripts, and only its own styles. Forms may lead to the shop, which has another origin. */
function sendPage(c: Context, html: Html): Response {
  return c.html(String(html), 200, {
    'Cache-Control': 'no-store',
    'Content-Security-Policy': `${inertPolicy}; style-src 'sha256-${stylesHash}'`,
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
        <style>${raw(styles)}</style>
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
