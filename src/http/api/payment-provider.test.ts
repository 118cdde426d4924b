import { Hono } from 'hono';
import { expect, test } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { memoryPayments } from '../../../test/support/memory-payments.ts';
import { systemRandom } from '../../lib/random.ts';
import { silentLog } from '../../observability/log.ts';
import { SimulatedPayments } from '../../suppliers/simulated-payments.ts';
import { onError } from '../problem.ts';
import { paymentProviderRoutes } from './payment-provider.ts';

/* src/suppliers/http-payments.test.ts has the protocol. */

const options = {
  ledger: memoryPayments(),
  random: systemRandom(),
  clock: new ManualClock(),
  log: silentLog,
};
const provider = new SimulatedPayments({ ...options, payRate: 0, declineRate: 0, latencyMs: 0 });
const app = new Hono().route('/api/payments', paymentProviderRoutes({ provider }));
app.onError(onError(silentLog));

const payment = {
  ...{ amount: 10_000, currency: 'EUR', email: 'ana@example.com' },
  returnUrl: 'https://tickets.example/orders/A',
};
const request = (body: object, headers: Record<string, string> = { 'idempotency-key': 'A' }) =>
  app.request('http://pay.example/api/payments', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });

test('without a token everyone may call, and the page has the origin of the call', async () => {
  const answer = await request(payment);
  expect(answer.status).toBe(201);
  expect(((await answer.json()) as { paymentUrl: string }).paymentUrl).toMatch(
    /^http:\/\/pay\.example\/checkout\//,
  );
  const found = await app.request('/api/payments/A');
  expect(await found.json()).toEqual({ status: 'due', amount: 10_000, currency: 'EUR' });
  expect((await app.request('/api/payments/B')).status).toBe(404);
});

test.each([
  { amount: -1 },
  { amount: 1.5 },
  { amount: '1' },
  { currency: 'eur' },
  { email: 'nobody' },
  { returnUrl: 'javascript:alert(1)' },
  { returnUrl: '/orders/A' },
  { more: 1 },
])('a request with %j is refused', async (over) => {
  expect((await request({ ...payment, ...over }, { 'idempotency-key': 'C' })).status).toBe(422);
  expect(await provider.find('C')).toBeUndefined();
});

test('a request without a key is refused, and so is a key that is none', async () => {
  expect((await request(payment, {})).status).toBe(422);
  expect((await app.request('/api/payments/a%20b')).status).toBe(422);
  expect((await app.request('/api/payments/a%20b', { method: 'DELETE' })).status).toBe(422);
});
