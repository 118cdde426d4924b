import type { OrderAt } from '../../domain/notices.ts';
import { currencyOf, type Order, type Payment } from '../../domain/order.ts';
import { reasonText } from '../../http/pages/fragments/order-text.ts';
import type { Texts } from '../../http/pages/texts/index.ts';

/** What a mail about an order says. */
export interface MailContent {
  readonly subject: string;
  readonly paragraphs: readonly string[];
  /** What the order is about: a label and a value each. */
  readonly details: readonly (readonly [label: string, value: string])[];
  /** The text of the private link. */
  readonly link: string;
}

interface MailContext {
  /** ISO 4217 code of the price. */
  readonly currency: string;
  readonly hasCalendar: boolean;
  /** In the language of the mail. */
  readonly texts: Texts;
}

export function mailContent(notice: OrderAt, context: MailContext): MailContent {
  const { mails } = context.texts;
  const { subject } = mails[notice.event];
  // The order's page has the button to pay, as long as there is something to pay.
  const link = notice.event === 'payable' ? mails.payable.link : mails.link;
  return { subject, paragraphs: paragraphs(notice, context), details: details(notice, context), link };
}

function paragraphs({ event, order }: OrderAt, { hasCalendar, texts }: MailContext): string[] {
  const { payable, confirmed, failed, cancelled, refunded } = texts.mails;
  const { amount: amountIn, dateTime, night } = texts.formats;
  switch (event) {
    case 'payable': {
      const { amount, currency, payBy } = paymentOf(order);
      return [payable.text(amountIn(amount, currency), dateTime(payBy)), payable.next];
    }
    case 'confirmed': {
      const text = confirmed.text(night(order.package.stay));
      return [text, confirmed.next, ...(hasCalendar ? [confirmed.calendar] : [])];
    }
    case 'failed':
      return [reasonText(order, texts), failed.next];
    case 'cancelled':
      return [cancelled.text, cancelled.next];
    case 'refunded': {
      const { amount, currency } = paymentOf(order);
      return [refunded.text(amountIn(amount, currency)), refunded.next];
    }
  }
}

/** The payment of an order that is, or was, payable. @throws Error if the order has none. */
function paymentOf({ payment }: Order): Payment & Required<Pick<Payment, 'payBy'>> {
  const { payBy } = payment ?? {};
  if (payment === undefined || payBy === undefined)
    throw new Error('the order was payable, but has no payment');
  return { ...payment, payBy };
}

function details({ order }: OrderAt, { currency, texts }: MailContext): MailContent['details'] {
  const { facts, formats, mails } = texts;
  const { flight, stay, price } = order.package;
  return [
    [facts.orderNumber, order.id],
    [mails.flight, flight],
    [facts.night, formats.night(stay)],
    [mails.price, formats.price(price, currencyOf(order, currency))],
    ...(order.flight === undefined ? [] : [[facts.flightTicket, order.flight.ticketNumber] as const]),
    ...(order.hotel === undefined ? [] : [[facts.hotelReservation, order.hotel.reservationNumber] as const]),
  ];
}
