import { expect, test } from 'vitest';
import { sampleOrder } from '../../../test/contract/samples.ts';
import { type NoticeEvent, noticeEvents } from '../../domain/notices.ts';
import type { Order } from '../../domain/order.ts';
import { orderMail } from './order-mail.ts';

function mailIn(language: string | undefined, event: NoticeEvent) {
  const order = sampleOrder(1, {
    ...{ id: '7Q4M-9XKD-2VBN-H5TR', status: event, reason: 'hotel_unavailable' },
    ...{ flight: { ticketNumber: 'F-1234' }, hotel: { reservationNumber: 'H-5678' } },
    ...((language === undefined ? {} : { language }) satisfies Partial<Order>),
  });
  const options = { currency: 'EUR', secret: 's'.repeat(32), publicOrigin: 'https://tickets.example' };
  return orderMail({ event, at: 1_660_000_000_000, order }, options);
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

test('a mail has the same id in every language', () => {
  expect(mailIn('de', 'confirmed').id).toBe(mailIn(undefined, 'confirmed').id);
});
