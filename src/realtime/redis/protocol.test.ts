import { describe, expect, test } from 'vitest';
import { fakeOrder } from '../../../test/support/fake-engine.ts';
import { decodeChanges, encodeChanges } from './protocol.ts';

test('Q12 a change that cannot be read does not hide the others of its message', () => {
  const [first, last] = [fakeOrder({ id: 'first' }), fakeOrder({ id: 'last' })];
  const malformed = { ...fakeOrder(), number: 'seven' } as never;
  const text = encodeChanges('a', [{ order: first }, { order: malformed }, { order: last }]);
  const problems: unknown[] = [];
  const changes = decodeChanges(text, (problem) => problems.push(problem));
  expect(changes).toEqual([{ order: first }, { order: last }]);
  expect(problems).toHaveLength(1);
});

describe('an order', () => {
  const full = fakeOrder({
    key: 'k',
    language: 'de',
    status: 'failed',
    reason: 'hotel_unavailable',
    flight: { ticketNumber: 'F1' },
    hotel: { reservationNumber: 'H1' },
    payment: { amount: 10_000, currency: 'EUR', url: 'https://pay.example/1', payBy: 3 },
    timeline: [
      { at: 1, event: 'claimed' },
      { at: 2, event: 'failed', detail: 'why' },
    ],
  });

  test('arrives with every member, also with those that only a newer release knows', () => {
    const newer = { ...full, status: 'parked', loyalty: 3, timeline: [{ at: 1, event: 'parked', by: 'x' }] };
    const changes = [{ order: full }, { order: newer as never }];
    expect(decodeChanges(encodeChanges('a', changes))).toEqual(changes);
  });

  test.each([
    { id: 7 },
    { packageId: 0 },
    { packageId: '1' },
    { number: 1.5 },
    { package: null },
    { package: { flight: 'F', stay: 'S', price: null } },
    { package: { flight: 'F', price: 1 } },
    { email: undefined },
    { key: 7 },
    { language: 7 },
    { status: undefined },
    { reason: 7 },
    { flight: {} },
    { flight: null },
    { hotel: { reservationNumber: 7 } },
    { payment: null },
    { payment: { amount: '1', currency: 'EUR' } },
    { payment: { amount: 1, currency: 'EUR', payBy: 'soon' } },
    { createdAt: 'today' },
    { timeline: undefined },
    { timeline: {} },
    { timeline: [null] },
    { timeline: [{ at: 'x', event: 'claimed' }] },
    { timeline: [{ at: 1 }] },
    { timeline: [{ at: 1, event: 'claimed', detail: 7 }] },
  ])('is dropped if a member is missing or has another type: %j', (members) => {
    const problems: Error[] = [];
    const text = encodeChanges('a', [{ order: { ...full, ...members } as never }]);
    expect(decodeChanges(text, (problem) => problems.push(problem))).toEqual([]);
    expect(problems).toHaveLength(1);
  });
});
