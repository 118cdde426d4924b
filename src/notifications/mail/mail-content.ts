import type { OrderAt } from '../../domain/notices.ts';
import { reasonText } from '../../http/pages/fragments/order-text.ts';
import type { Texts } from '../../http/pages/texts/index.ts';

/** What a mail about an order says. */
export interface MailContent {
  readonly subject: string;
  readonly paragraphs: readonly string[];
  /** What the order is about: a label and a value each. */
  readonly details: readonly (readonly [label: string, value: string])[];
}

interface MailContext {
  /** ISO 4217 code of the price. */
  readonly currency: string;
  readonly hasCalendar: boolean;
  /** In the language of the mail. */
  readonly texts: Texts;
}

export function mailContent(notice: OrderAt, context: MailContext): MailContent {
  const { subject } = context.texts.mails[notice.event];
  return { subject, paragraphs: paragraphs(notice, context), details: details(notice, context) };
}

function paragraphs({ event, order }: OrderAt, { hasCalendar, texts }: MailContext): string[] {
  const { confirmed, failed, cancelled } = texts.mails;
  switch (event) {
    case 'confirmed': {
      const text = confirmed.text(texts.formats.night(order.package.stay));
      return [text, confirmed.next, ...(hasCalendar ? [confirmed.calendar] : [])];
    }
    case 'failed':
      return [reasonText(order, texts), failed.next];
    case 'cancelled':
      return [cancelled.text, cancelled.next];
  }
}

function details({ order }: OrderAt, { currency, texts }: MailContext): MailContent['details'] {
  const { facts, formats, mails } = texts;
  const { flight, stay, price } = order.package;
  return [
    [facts.orderNumber, order.id],
    [mails.flight, flight],
    [facts.night, formats.night(stay)],
    [mails.price, formats.price(price, currency)],
    ...(order.flight === undefined ? [] : [[facts.flightTicket, order.flight.ticketNumber] as const]),
    ...(order.hotel === undefined ? [] : [[facts.hotelReservation, order.hotel.reservationNumber] as const]),
  ];
}
