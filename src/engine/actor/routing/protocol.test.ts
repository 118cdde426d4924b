import { describe, expect, test } from 'vitest';
import type { Order } from '../../../domain/order.ts';
import type { Json } from '../../../lib/json.ts';
import type { Command } from '../../commands.ts';
import { decodeAnswer, decodeRequest, encodeAnswer, encodeRequest, type InstanceAnswer } from './protocol.ts';

const order: Order = {
  id: '7Q4M-9XKD-2VBN-H5TR',
  packageId: 1,
  number: 1,
  package: { flight: 'Flight-1', stay: '2022-08-09', price: 100 },
  email: 'a@example.com',
  status: 'held',
  createdAt: 1,
  timeline: [{ at: 1, event: 'claimed' }],
};

const purchase: Command = { kind: 'purchase', orderId: order.id, email: order.email };
const requestOf = (command: Command) =>
  ({ kind: 'command', packageId: 1, patienceMs: 2_000, command }) as const;

/** What arrives of a value that is sent as JSON. */
const sent = (value: unknown) => JSON.parse(JSON.stringify(value)) as Json;

/** A purchase with other members, as a broken or newer instance may send it. */
function purchaseWith(members: object, ofCommand: object = {}): Json {
  return sent({ v: 1, ...requestOf({ ...purchase, ...ofCommand } as Command), ...members });
}

describe('a purchase', () => {
  test.each([
    {},
    { key: 'k' },
    { key: '' },
    { key: 'k', language: 'de' },
    { language: 'fr-CA' },
    { inDoubt: true },
    { key: 'k', inDoubt: false },
    { trace: '00-1-2-03' },
  ])('arrives as it was sent: %j', (members) => {
    const request = requestOf({ ...purchase, ...members });
    expect(decodeRequest(sent(encodeRequest(request)))).toMatchObject(request);
  });

  test('arrives without the members that this release does not know', () => {
    const later = purchaseWith({ priority: 9 }, { loyalty: 7, caller: 'x', deadlineAt: 1, waiting: {} });
    expect(decodeRequest(later)).toEqual(requestOf(purchase));
  });

  test.each([
    purchaseWith({ v: 2 }),
    purchaseWith({ kind: 'order' }),
    purchaseWith({ packageId: 1.5 }),
    purchaseWith({ packageId: '1' }),
    purchaseWith({ packageId: 2 ** 60 }),
    purchaseWith({ patienceMs: -1 }),
    purchaseWith({ patienceMs: 60_001 }),
    purchaseWith({ patienceMs: null }),
    purchaseWith({ command: null }),
    purchaseWith({ command: [] }),
    purchaseWith({ command: 'purchase' }),
    purchaseWith({}, { kind: 'buy' }),
    purchaseWith({}, { orderId: '' }),
    purchaseWith({}, { orderId: 'x'.repeat(65) }),
    purchaseWith({}, { orderId: 7 }),
    purchaseWith({}, { email: null }),
    purchaseWith({}, { email: 'x'.repeat(321) }),
    purchaseWith({}, { key: null }),
    purchaseWith({}, { key: 'x'.repeat(256) }),
    purchaseWith({}, { language: 7 }),
    purchaseWith({}, { language: 'x'.repeat(36) }),
    purchaseWith({}, { inDoubt: 'yes' }),
    ...[null, true, 1, 'x', [], {}],
  ])('is not understood if it is none: %j', (json) => {
    expect(decodeRequest(json)).toBeUndefined();
  });
});

describe('the answer to a purchase', () => {
  test('arrives as it was sent, with the members that only a newer release knows', () => {
    const answer: InstanceAnswer = { kind: 'accepted', order: { ...order, seat: '7A' } as Order };
    expect(decodeAnswer(sent(encodeAnswer(answer)))).toEqual(answer);
  });

  test.each([
    { v: 2, kind: 'accepted', order: { ...order } },
    { v: 1, kind: 'accepted' },
    { v: 1, kind: 'accepted', order: [] },
    { v: 1, kind: 'accepted', order: { ...order, id: '' } },
    { v: 1, kind: 'accepted', order: { ...order, packageId: 'x' } },
    { v: 1, kind: 'accepted', order: { ...order, status: 1 } },
    { v: 1, kind: 'refused', code: 'no such code' },
    ...[null, true, 1, 'x', [], {}],
  ])('makes the sender look for the owner again if it is none: %j', (json) => {
    expect(decodeAnswer(sent(json))).toEqual({ kind: 'notOwner' });
  });
});
