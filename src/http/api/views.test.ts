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
  expect(Object.keys(orderView(order, 2)).sort()).toEqual([...Object.keys(shown), 'queuePosition'].sort());
});
