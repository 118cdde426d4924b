import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Hono } from 'hono';
import { afterEach, describe, expect, test } from 'vitest';
import { paymentClientContract } from '../../test/contract/payments.ts';
import { memoryPayments } from '../../test/support/memory-payments.ts';
import { paymentProviderRoutes } from '../http/api/payment-provider.ts';
import { onError, problem } from '../http/problem.ts';
import { createServer } from '../http/server/server.ts';
import { systemClock } from '../lib/clock.ts';
import { systemRandom } from '../lib/random.ts';
import { silentLog } from '../observability/log.ts';
import { httpPayments } from './http-payments.ts';
import { SimulatedPayments } from './simulated-payments.ts';
import { LedgerForbiddenError, type PaymentRequest } from './suppliers.ts';

const token = 'a token for tests';
const returnUrl = (key: string) => `https://tickets.example/orders/${key}`;
const request: PaymentRequest = {
  ...{ key: 'A', packageId: 1, email: 'ana@example.com', amount: 10_000, currency: 'EUR' },
};

let stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops) await stop();
  stops = [];
});

/** Serves an app, and returns its address. */
async function serve(app: Hono): Promise<{ url: string; close: () => Promise<void> }> {
  const server = createServer(app, silentLog).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async () => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api`, close };
}

function simulation(): SimulatedPayments {
  const options = { ledger: memoryPayments(), random: systemRandom(), clock: systemClock, log: silentLog };
  return new SimulatedPayments({ ...options, payRate: 0, declineRate: 0, latencyMs: 0 });
}

function providerApp(provider: SimulatedPayments): Hono {
  const app = new Hono().route('/api/payments', paymentProviderRoutes({ provider, token }));
  app.onError(onError(silentLog));
  app.notFound((c) => problem(c, 'unknown_route'));
  return app;
}

paymentClientContract('HTTP, our routes and the simulation', async () => {
  const provider = simulation();
  const { url, close } = await serve(providerApp(provider));
  return { client: httpPayments({ url, token, returnUrl }), provider, close };
});

test('the email, the amount and the address of the order are sent in the body, and the key in a header', async () => {
  const seen: unknown[] = [];
  const app = new Hono().post('/api/payments', async (c) => {
    seen.push(c.req.header('idempotency-key'), c.req.header('authorization'), await c.req.json());
    return c.json({ paymentUrl: 'https://pay.example/1' }, 201);
  });
  const { url, close } = await serve(app);
  stops.push(close);
  await httpPayments({ url, token, returnUrl }).requestPayment(request);
  const { amount, currency, email } = request;
  expect(seen).toEqual(['A', `Bearer ${token}`, { amount, currency, email, returnUrl: returnUrl('A') }]);
});

test('the provider has the same name at every address, because instances may reach it by different ones', () => {
  const nameAt = (url: string) => httpPayments({ url, token, returnUrl }).provider;
  expect(nameAt('https://pay.example/shop-a/')).toBe(nameAt('http://127.0.0.1:8890'));
});

test('the token is needed for everything', async () => {
  const { url, close } = await serve(providerApp(simulation()));
  stops.push(close);
  const client = httpPayments({ url, returnUrl });
  await expect(client.requestPayment(request)).rejects.toThrow('status 401');
  await expect(client.payment('A')).rejects.toThrow('status 401');
  await expect(client.cancelPayment('A')).rejects.toThrow('status 401');
  await expect(client.payments()).rejects.toBeInstanceOf(LedgerForbiddenError);
});

describe('Q11 an answer outside the protocol is an unknown outcome:', () => {
  const answering = async (status: number, body: string) => {
    const headers = { 'content-type': 'application/json' };
    const app = new Hono().all('*', () => new Response(status === 204 ? null : body, { status, headers }));
    const { url, close } = await serve(app);
    stops.push(close);
    return httpPayments({ url, returnUrl });
  };

  test.each([
    [201, '{}'],
    [201, '{"paymentUrl":"javascript:alert(1)"}'],
    [201, '{"paymentUrl":"/checkout/1"}'],
    [202, '{"paymentUrl":"https://pay.example/1"}'],
    [401, '{"code":"payment_refused"}'],
    [404, '{}'],
    [409, '{"code":"request_in_progress"}'],
    [408, '{}'],
    [429, '{}'],
    [500, '{"code":"payment_refused"}'],
  ])('a request, %i %s', async (status, body) => {
    await expect((await answering(status, body)).requestPayment(request)).rejects.toThrow();
  });

  test.each([
    [200, '{}'],
    [200, '{"status":"PAID","amount":10000,"currency":"EUR"}'],
    [200, '{"status":"paid","amount":"10000","currency":"EUR"}'],
    [200, '{"amount":10000,"currency":"EUR"}'],
    [204, ''],
    [500, '{}'],
    [410, '{}'],
  ])('a look-up, %i %s', async (status, body) => {
    await expect((await answering(status, body)).payment('A')).rejects.toThrow();
  });

  test.each([200, 404, 409, 500])('a cancel, %i', async (status) => {
    await expect((await answering(status, '{}')).cancelPayment('A')).rejects.toThrow();
  });

  test('a payment that was requested before may be answered with 200', async () => {
    const client = await answering(200, '{"paymentUrl":"https://pay.example/1"}');
    expect(await client.requestPayment(request)).toEqual({
      kind: 'reserved',
      number: 'https://pay.example/1',
    });
  });

  test('a payment without an amount has the one that was asked for', async () => {
    const client = await answering(200, '{"status":"paid"}');
    expect(await client.payment('A')).toEqual({ status: 'paid' });
  });

  test.each([
    [400, '{}'],
    [402, '{"code":"card_needed"}'],
    [413, ''],
    [422, '{"code":"amount_too_small"}'],
  ])('but one that refuses the payment of one order is an answer: %i %s', async (status, body) => {
    const answer = await (await answering(status, body)).requestPayment(request);
    expect(answer).toMatchObject({ kind: 'refused', code: 'payment_refused' });
    expect((answer as { cause?: string }).cause).toMatch(`outside the protocol, status ${status}`);
  });

  test('a refusal of the protocol is an answer', async () => {
    const client = await answering(409, '{"code":"payment_refused"}');
    expect(await client.requestPayment(request)).toEqual({ kind: 'refused', code: 'payment_refused' });
  });
});
