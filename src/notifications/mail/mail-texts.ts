import type { OrderAt } from '../../domain/notices.ts';
import { reasonText } from '../../http/pages/fragments/order-text.ts';
import { textsOf } from '../../http/pages/texts/index.ts';
import { defaultLanguage } from '../../http/pages/texts/languages.ts';

/* All words of the mails. */

const texts = textsOf(defaultLanguage);
const { formats } = texts;

/** The texts of a mail about an order. */
export interface MailTexts {
  readonly language: string;
  readonly subject: string;
  readonly headline: string;
  readonly paragraphs: readonly string[];
  /** What the order is about: a label and a value each. */
  readonly details: readonly (readonly [label: string, value: string])[];
  readonly linkLabel: string;
  readonly linkNote: string;
  readonly footer: string;
}

interface MailContext {
  /** ISO 4217 code of the price. */
  readonly currency: string;
  readonly hasCalendar: boolean;
}

export function mailTexts(notice: OrderAt, context: MailContext): MailTexts {
  return {
    language: texts.language,
    ...outcomeTexts(notice, context),
    details: details(notice, context),
    linkLabel: 'Open your order',
    linkNote:
      'This link is private. Anyone who has it can see this order and your email, and cancel the trip.',
    footer: 'You get this mail because somebody ordered a trip with this email. Please do not reply to it.',
  };
}

function outcomeTexts(
  { event, order }: OrderAt,
  { hasCalendar }: MailContext,
): Pick<MailTexts, 'subject' | 'headline' | 'paragraphs'> {
  const night = formats.night(order.package.stay);
  switch (event) {
    case 'confirmed':
      return {
        subject: 'Your trip is booked',
        headline: 'Your trip is booked',
        paragraphs: [
          `Your seat and your room for the night of ${night} are reserved.`,
          'On your trip you need the ticket and the reservation number below.',
          ...(hasCalendar ? ['The attached file adds the trip to your calendar.'] : []),
        ],
      };
    case 'failed':
      return {
        subject: 'Your trip was not booked',
        headline: 'Your trip was not booked',
        paragraphs: [reasonText(order, texts), 'This order has ended. Other trips may still be on sale.'],
      };
    case 'cancelled':
      return {
        subject: 'Your trip is cancelled',
        headline: 'Your trip is cancelled',
        paragraphs: ['Your seat and your room were given back.', 'This order has ended.'],
      };
  }
}

function details({ order }: OrderAt, { currency }: MailContext): MailTexts['details'] {
  const { flight, stay, price } = order.package;
  return [
    ['Order number', order.id],
    ['Flight', flight],
    ['Night', formats.night(stay)],
    ['Price', formats.price(price, currency)],
    ...(order.flight === undefined ? [] : [['Flight ticket', order.flight.ticketNumber] as const]),
    ...(order.hotel === undefined ? [] : [['Hotel reservation', order.hotel.reservationNumber] as const]),
  ];
}
