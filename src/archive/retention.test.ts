import { expect, test } from 'vitest';
import { sampleOrder } from '../../test/contract/samples.ts';
import { type OrderStatus, orderStatuses } from '../domain/order.ts';
import { cutoffOf, isExpired } from './retention.ts';

const now = Date.parse('2026-03-01T12:00:00Z');
const cutoff = cutoffOf(now, 30);
const dayMs = 86_400_000;

function ended(status: OrderStatus, daysAgo: number, stay = '2022-08-09') {
  const at = now - daysAgo * dayMs;
  const timeline = [
    { at: at - 400 * dayMs, event: 'queued' as const },
    { at, event: 'failed' as const },
  ];
  return sampleOrder(1, { status, timeline, package: { flight: 'Flight-1', stay, price: 1 } });
}

test.each(['confirmed', 'failed', 'rejected', 'withdrawn', 'cancelled'] as const)(
  'an order that is %s expires when its end is older than the retention period',
  (status) => {
    expect(isExpired(ended(status, 30.1), cutoff)).toBe(true);
    expect(isExpired(ended(status, 29.9), cutoff)).toBe(false);
  },
);

test('an order that has not ended never expires', () => {
  const unfinished = orderStatuses.filter((status) =>
    ['queued', 'held', 'compensating', 'cancelling'].includes(status),
  );
  expect(unfinished).toHaveLength(4);
  for (const status of unfinished) expect(isExpired(ended(status, 9_000), cutoff)).toBe(false);
});

test('a confirmed order does not expire before its night has been over for the retention period', () => {
  expect(isExpired(ended('confirmed', 400, '2026-01-28'), cutoff)).toBe(true);
  expect(isExpired(ended('confirmed', 400, '2026-01-29'), cutoff)).toBe(false);
  expect(isExpired(ended('confirmed', 400, '2027-01-01'), cutoff)).toBe(false);
  expect(isExpired(ended('confirmed', 400, 'some day'), cutoff)).toBe(false);
  expect(isExpired(ended('failed', 400, '2027-01-01'), cutoff)).toBe(true);
});
