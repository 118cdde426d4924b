import { hash } from 'node:crypto';
import { orderCalendar } from '../../calendar/order-calendar.ts';
import type { OrderAt } from '../../domain/notices.ts';
import { orderSignature } from '../../http/order-access.ts';
import { markup } from '../../http/pages/markup.ts';
import { orderAddress } from '../../http/pages/responses.ts';
import { type Texts, textsOf } from '../../http/pages/texts/index.ts';
import { defaultLanguage, languageFrom } from '../../http/pages/texts/languages.ts';
import { type MailContent, mailContent } from './mail-content.ts';

export interface OrderMailOptions {
  /** ISO 4217 code of all prices. */
  readonly currency: string;
  /** Signs the private link. */
  readonly secret: string;
  /** The origin of the private link, without a trailing slash. */
  readonly publicOrigin: string;
}

/** A mail about an order, without its sender. */
export interface OrderMail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly attachments: readonly {
    readonly filename: string;
    readonly contentType: string;
    readonly content: string;
  }[];
  /** The same for the same notice. Tells nothing of the order: ids of mails are in many logs (promise Q10). */
  readonly id: string;
}

/** Writes the mail about what happened to an order. */
export function orderMail(notice: OrderAt, { currency, secret, publicOrigin }: OrderMailOptions): OrderMail {
  const { order, event } = notice;
  // A newer release may have stored a language that this one does not know.
  const texts = textsOf(languageFrom(order.language) ?? defaultLanguage);
  const calendar = event === 'confirmed' ? orderCalendar(order, texts.calendar) : undefined;
  const content = mailContent(notice, { currency, hasCalendar: calendar !== undefined, texts });
  const link = publicOrigin + orderAddress(order.id, {}, orderSignature(secret, order.id));
  return {
    to: order.email,
    subject: content.subject,
    text: plainText(content, link, texts),
    html: htmlText(content, link, texts),
    attachments:
      calendar === undefined
        ? []
        : [{ filename: calendar.name, contentType: calendar.type, content: calendar.text }],
    id: hash('sha256', `mail:${event}:${order.id}`).slice(0, 32),
  };
}

function plainText(content: MailContent, link: string, { mails }: Texts): string {
  const { subject, paragraphs, details } = content;
  const list = details.map(([label, value]) => `${label}: ${value}`).join('\n');
  const parts = [subject, ...paragraphs, list, `${content.link}:\n${link}\n${mails.linkNote}`];
  return [...parts, `-- \n${mails.footer}\n`].join('\n\n');
}

/** Without pictures, scripts and styles of other sites, which mail programs block or report. */
function htmlText(content: MailContent, link: string, { language, mails }: Texts): string {
  const { subject, paragraphs, details } = content;
  const note = 'color:#555;font-size:14px';
  return String(markup`<!doctype html>
    <html lang="${language}">
    <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <title>${subject}</title>
    </head>
    <body style="margin:0 auto;padding:24px;max-width:560px;font:16px/1.5 sans-serif">
      <h1 style="font-size:22px">${subject}</h1>
      ${paragraphs.map((paragraph) => markup`<p>${paragraph}</p>`)}
      <table role="presentation" style="border-spacing:0">
        ${details.map(
          ([label, value]) => markup`
            <tr><td style="padding:4px 16px 4px 0">${label}</td><td style="padding:4px 0"><b dir="auto">${value}</b></td></tr>`,
        )}
      </table>
      <p><a href="${link}">${content.link}</a></p>
      <p style="${note}">${mails.linkNote}</p>
      <p style="${note}">${mails.footer}</p>
    </body>
    </html>`);
}
