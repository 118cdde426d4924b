import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { systemClock } from '../lib/clock.ts';
import { systemRandom } from '../lib/random.ts';
import { eventVerifier, signedEvent } from './payment-events.ts';
import type { PaymentEntry } from './suppliers.ts';

const secret = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
const verify = eventVerifier(secret);
const payment: PaymentEntry = {
  ...{ key: 'A', status: 'paid', amount: 10_000, currency: 'EUR' },
  ...{ number: 'N', returnUrl: 'https://tickets.example/orders/A' },
};
const sources = { clock: systemClock, random: systemRandom() };

test('an event is signed so that it is accepted, and does not tell the number of its payment', () => {
  const { body, headers } = signedEvent(payment, secret, sources);
  verify(body, headers);
  expect(JSON.parse(body)).toEqual({
    type: 'payment.paid',
    timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
    data: { key: 'A', status: 'paid', amount: 10_000, currency: 'EUR' },
  });
});

test('the signature is the one that the specification of Standard Webhooks defines', () => {
  const { body, headers } = signedEvent(payment, secret, sources);
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  const hmac = createHmac('sha256', Buffer.alloc(24, 7)).update(signed).digest('base64');
  expect(headers['webhook-signature']).toBe(`v1,${hmac}`);
});

test.each([
  ['is changed', ({ body, headers }) => verify(`${body} `, headers)],
  ['has another id', ({ body, headers }) => verify(body, { ...headers, 'webhook-id': 'msg_other' })],
  ['has no id', ({ body, headers: { 'webhook-id': _, ...headers } }) => verify(body, headers)],
  ['has no signature', ({ body, headers }) => verify(body, { ...headers, 'webhook-signature': '' })],
  [
    'has an unknown signature',
    ({ body, headers }) => verify(body, { ...headers, 'webhook-signature': 'v2,x' }),
  ],
] as [string, (event: ReturnType<typeof signedEvent>) => void][])(
  'an event that %s is refused',
  (_, check) => {
    const event = signedEvent(payment, secret, sources);
    expect(() => check(event)).toThrow();
  },
);

test.each([-6, 6])('an event whose time differs by %i minutes is refused', (minutes) => {
  const clock = { ...systemClock, now: () => systemClock.now() + minutes * 60_000 };
  const { body, headers } = signedEvent(payment, secret, { ...sources, clock });
  expect(() => verify(body, headers)).toThrow(/timestamp too (old|new)/);
});

test('an event with another secret is refused', () => {
  const other = Buffer.alloc(24, 8).toString('base64');
  const { body, headers } = signedEvent(payment, other, sources);
  expect(() => verify(body, headers)).toThrow('No matching signature');
});
