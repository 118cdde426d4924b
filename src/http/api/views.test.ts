import { expect, test } from 'vitest';
import type { Order } from '../../domain/order.ts';
import { isoTime, orderView } from './views.ts';

const order: Required<Order> = {
  id: '7Q4M9XKD2VBNH5TR',
  packageId: 3,
  number: 1,
  package: { flight: 'BA 117', stay: '2022-08-10', price: 100 },
  email: 'ana@example.com',
  key: 'k',
  language: 'de',
  status: 'compensating',
  reason: 'hotel_unavailable',
  flight: { ticketNumber: 'F1' },
  hotel: { reservationNumber: 'H1' },
  payment: { amount: 10_000, currency: 'EUR', url: 'https://pay.example/1', payBy: 60_000 },
  createdAt: 1,
  timeline: [{ at: 1, event: 'claimed' }],
};

test('an order is shown with all of its fields except its order number, its Idempotency-Key and its language', () => {
  const { number: _number, key: _key, language: _language, payment: _payment, ...shown } = order;
  const members = [...Object.keys(shown), 'amount', 'currency'];
  expect(Object.keys(orderView(order)).sort()).toEqual(members.sort());
});

test('a payment is shown with its address and its time only while it is due', () => {
  const { timeline: _, ...view } = orderView({ ...order, status: 'payable' });
  const due = { payBy: '1970-01-01T00:01:00.000Z', paymentUrl: 'https://pay.example/1' };
  expect(view).toMatchObject({ amount: 10_000, currency: 'EUR', ...due });
  const { payment: _payment, ...free } = order;
  expect(orderView(free)).not.toHaveProperty('amount');
});

test.each([
  [{ queuePosition: 2, estimatedWait: { minSeconds: 20, maxSeconds: 60 } }],
  [{ queuePosition: 2, estimatedWait: undefined }],
  [{ queuePosition: undefined, estimatedWait: undefined }],
])('an order in a queue is shown as %j, and its wait is null while it is not known', (queue) => {
  const { queuePosition, estimatedWait } = orderView(order, queue);
  expect([queuePosition, estimatedWait]).toEqual([queue.queuePosition, queue.estimatedWait ?? null]);
});

test('times are written as by a Date, in any order', () => {
  const noon = Date.UTC(2026, 10, 30, 12);
  for (const ms of [noon, noon + 7, noon + 999, noon + 1_000, noon - 1, noon, noon + 0.5, 0, -1, -1_001]) {
    expect(isoTime(ms)).toBe(new Date(ms).toISOString());
  }
  expect(() => isoTime(Number.NaN)).toThrow(RangeError);
});
