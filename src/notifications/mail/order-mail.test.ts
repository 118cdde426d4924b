import { expect, test } from 'vitest';
import { sampleOrderAt } from '../../../test/contract/samples.ts';
import { type NoticeEvent, noticeEvents } from '../../domain/notices.ts';
import { orderMail } from './order-mail.ts';

function mailIn(language: string | undefined, event: NoticeEvent) {
  const notice = sampleOrderAt(event, {
    reason: 'hotel_unavailable',
    ...{ flight: { ticketNumber: 'F-1234' }, hotel: { reservationNumber: 'H-5678' } },
    ...(language === undefined ? {} : { language }),
  });
  const options = { currency: 'EUR', secret: 's'.repeat(32), publicOrigin: 'https://tickets.example' };
  return orderMail(notice, options);
}

/** The lines and the texts between tags that are for readers. The link is the same in each language. */
function textsOf({ subject, text, html }: ReturnType<typeof mailIn>): string[] {
  const data = /^(?:https:\/\/.*|Flight-1|[FH]-\d+|[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3})$/;
  return [subject, ...text.split('\n'), ...html.split(/<[^>]*>/)]
    .map((each) => each.trim())
    .filter((each) => /\p{L}/u.test(each) && !data.test(each));
}

test.each(noticeEvents)('a mail about a %s order is wholly in its language', (event) => {
  const english = textsOf(mailIn(undefined, event));
  const german = textsOf(mailIn('de', event));
  expect(german).toHaveLength(english.length);
  expect(german.length).toBeGreaterThan(20);
  expect(german.filter((text) => english.includes(text))).toEqual([]);
});

test.each([
  [undefined, 'Please pay €120.50 by 8 Aug 2022, 23:11 UTC.', 'Open your order and pay'],
  ['de', 'Bitte bezahlen Sie 120,50\u00a0€ bis 8. Aug. 2022, 23:11 UTC.', 'Bestellung öffnen und bezahlen'],
])(
  'a mail about a payable order in %s says how much to pay, until when, and where',
  (language, words, link) => {
    const { text, html } = mailIn(language, 'payable');
    for (const part of [words, link, 'https://tickets.example/orders/7Q4M-9XKD-2VBN-H5TR?proof=']) {
      expect([text.includes(part), html.includes(part)], part).toEqual([true, true]);
    }
  },
);

test('the price in a mail is in the currency that the order has to be paid in', () => {
  const options = { currency: 'JPY', secret: 's'.repeat(32), publicOrigin: 'https://tickets.example' };
  const textOf = (event: NoticeEvent) => orderMail(sampleOrderAt(event), options).text;
  expect(textOf('payable')).toContain('€100');
  expect(textOf('payable')).not.toContain('¥');
  expect(textOf('confirmed')).toContain('¥100');
});

test.each([
  [undefined, '€120.50'],
  ['de', '120,50\u00a0€'],
])('a mail about a refund in %s says how much was refunded', (language, amount) => {
  expect(mailIn(language, 'refunded').text).toContain(amount);
});

test('a mail has the same id in every language', () => {
  expect(mailIn('de', 'confirmed').id).toBe(mailIn(undefined, 'confirmed').id);
});
