import { expect, test } from 'vitest';
import type { Order } from '../../domain/order.ts';
import { orderView } from './views.ts';

const order: Required<Order> = {
  id: '7Q4M9XKD2VBNH5TR',
  packageId: 3,
  number: 1,
  package: { flight: 'BA 117', stay: '2022-08-10', price: 100 },
  email: 'ana@example.com',
  key: 'k',
  status: 'compensating',
  reason: 'hotel_unavailable',
  flight: { ticketNumber: 'F1' },
  hotel: { reservationNumber: 'H1' },
  createdAt: 1,
  timeline: [{ at: 1, event: 'claimed' }],
};

test('an order is shown with all of its fields except its order number and its Idempotency-Key', () => {
  const { number: _number, key: _key, ...shown } = order;
  expect(Object.keys(orderView(order)).sort()).toEqual(Object.keys(shown).sort());
});

test.each([
  [{ queuePosition: 2, estimatedWait: { minSeconds: 20, maxSeconds: 60 } }],
  [{ queuePosition: 2, estimatedWait: undefined }],
  [{ queuePosition: undefined, estimatedWait: undefined }],
])('an order in a queue is shown as %j, and its wait is null while it is not known', (queue) => {
  const { queuePosition, estimatedWait } = orderView(order, queue);
  expect([queuePosition, estimatedWait]).toEqual([queue.queuePosition, queue.estimatedWait ?? null]);
});
