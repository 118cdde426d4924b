import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { fakeOrder, fakeNow as now } from '../../../../test/support/fake-engine.ts';
import type { Order, UnpaidReason } from '../../../domain/order.ts';
import { textsOf } from '../texts/index.ts';
import { languages } from '../texts/languages.ts';
import { orderFragment, tabTitle } from './order.ts';
import { countdown, orderText } from './order-text.ts';

/* The page of an order that has to be paid. */

const texts = textsOf('en');
const live = { inProgress: 1, now };
const payment = {
  amount: 12_050,
  currency: 'EUR',
  url: 'https://pay.example/?a=1&b=2',
  payBy: now + 300_000,
};

const shown = (overrides: Partial<Order>, language: 'en' | 'de' = 'en', at = now) =>
  String(orderFragment(fakeOrder({ payment, ...overrides }), { ...live, now: at }, textsOf(language)));

test('a confirmed order can be cancelled until its trip is over', () => {
  const end = Date.UTC(2022, 7, 10, 12);
  expect(shown({ status: 'confirmed' }, 'en', end - 1)).toContain('form="cancel"');
  expect(shown({ status: 'confirmed' }, 'en', end)).not.toContain('form="cancel"');
});

describe('a payable order', () => {
  test('Q11 shows the amount and its end, leads to its payment, and can be cancelled', () => {
    const html = shown({ status: 'payable' });
    expect(html).toContain('>Pay to get your trip</h1>');
    expect(html).toContain('<p class="amount" id="amount">€120.50</p>');
    expect(html).toMatch(/Pay by <time class="clock" datetime="2022-08-01T00:05:00.000Z">00:05:00 UTC</);
    expect(html).toContain(`role="timer" data-until="${payment.payBy}">5:00</b>`);
    expect(html).toMatch(/<a class="button primary" id="pay" href="https:\/\/pay.example\/\?a=1&amp;b=2"/);
    expect(html.match(/class="button primary"/g)).toHaveLength(1);
    expect(html).toContain('Yes, cancel the order');
    expect(html).toContain('data-over=""');
    expect(html).not.toMatch(/style=|aria-live/);
    expect(tabTitle(fakeOrder({ status: 'payable', payment }), live, texts)).toBe('To be paid · Flight-1');
  });

  test('has the amount and the time in German', () => {
    const html = shown({ status: 'payable' }, 'de');
    expect(html).toMatch(/id="amount">120,50\s€</);
    expect(html).toMatch(/Bezahlen Sie bis <time [^>]*>00:05:00 UTC</);
    expect(html).toContain('>Jetzt bezahlen</a>');
  });

  test('says that its time is over, also before the server has noticed', () => {
    const html = shown({ status: 'payable' }, 'en', payment.payBy);
    expect(html).toContain('data-over="yes"');
    expect(html).toContain('>0:00</b>');
    expect(html).toContain('The time to pay is over.');
  });

  test('that is due for days shows the date', () => {
    const html = shown({ status: 'payable', payment: { ...payment, payBy: now + 2 * 86_400_000 } });
    expect(html).toMatch(/<time class="moment" [^>]*>3 Aug 2022, 00:00 UTC</);
    expect(html).toContain('>2 d 00:00:00</b>');
  });
});

describe('an order with a payment', () => {
  const textOf = (overrides: Partial<Order>) => orderText(fakeOrder({ payment, ...overrides }), live, texts);

  test('says before it is payable that it will have to be paid', () => {
    const held = { status: 'held', flight: { ticketNumber: 'F1' } } as const;
    expect(textOf(held).next).toBe('If the hotel has a room, we ask you to pay.');
    expect(orderText(fakeOrder(held), live, texts).next).toContain('your trip is booked');
    expect(shown(held)).not.toContain('id="amount"');
  });

  test('says that it is paid or refunded', () => {
    expect(textOf({ status: 'confirmed' }).text).toContain('It is paid.');
    expect(textOf({ status: 'cancelled' }).text).toContain('Your payment is refunded.');
  });

  test.each([
    ['payment_refused', 'The payment provider did not accept the payment.', 'not been charged'],
    ['payment_declined', 'Your payment was declined.', 'You have not been charged.'],
    ['payment_expired', 'This order was not paid in time.', 'If you paid later, your payment is refunded.'],
    ['payment_abandoned', 'You cancelled this order before you paid.', 'your payment is refunded.'],
  ] satisfies [UnpaidReason, string, string][])(
    'that ended with %s says so and offers to order again',
    (reason, headline, text) => {
      for (const status of ['compensating', 'failed'] as const) {
        const words = textOf({ status, reason });
        expect(words.headline).toBe(headline);
        expect(words.text).toContain(text);
        const html = shown({ status, reason });
        expect(html).toMatch(/form="again"[^>]*>Order again</);
        expect(html).not.toContain('id="pay"');
      }
    },
  );

  test('blames the payment provider if that did not answer', () => {
    const failed = { status: 'failed', reason: 'supplier_silent' } as const;
    const timeline = [{ at: now, event: 'payment unknown' } as const];
    expect(textOf({ ...failed, timeline }).headline).toBe('The payment provider did not answer.');
    expect(textOf(failed).headline).toBe('The airline or the hotel did not answer.');
  });
});

test.each(languages)('the countdown is the same on the server and in page.js, in %s', (language) => {
  const script = readFileSync(join(import.meta.dirname, '../../../../public/page.js'), 'utf8');
  const parts = [/const fill = .*;/, /function countdown[\s\S]*?\n {2}\}/].map(
    (part) => part.exec(script)?.[0],
  );
  const context = { said: textsOf(language).scripts.page };
  const inBrowser: (ms: number) => string = runInNewContext(`${parts.join('\n')}\ncountdown`, context);
  for (const ms of [-1, 0, 1, 59_001, 60_000, 299_999, 3_600_000, 86_399_000, 86_400_000, 604_800_000]) {
    expect(inBrowser(ms)).toBe(countdown(ms, textsOf(language)));
  }
  expect(['-1', '1', '299000', '3661000'].map((ms) => inBrowser(Number(ms)))).toEqual([
    ...['0:00', '0:01', '4:59', '1:01:01'],
  ]);
});
