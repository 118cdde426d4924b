import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { auditHere } from '../support/audit.ts';
import { expectPaidSale, paidSale } from '../support/paid-sale.ts';
import { type PaymentServer, startPaymentServer } from '../support/payment-server.ts';
import { type RecordingLog, recordingLog } from '../support/recording-log.ts';
import { makeDatabase, onSale, startServer, type TestDatabase, type TestServer } from '../support/server.ts';

/* Orders that are paid at the simulated provider, through the API and the provider's page. */

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: the tests look at members of JSON.
  readonly body: any;
}

let database: TestDatabase;
let settings: Record<string, string>;
let server: TestServer | undefined;
let log: RecordingLog;
beforeEach(async () => {
  database = await makeDatabase([onSale({ id: 1, quota: 1, price: 120 })]);
  settings = { DATABASE_URL: database.url, FLIGHT_FAILURE_RATE: '0', PAYMENTS: 'simulated', CURRENCY: 'EUR' };
});
afterEach(async () => {
  await server?.stop();
  server = undefined;
  await database.delete();
});

async function start(over: Record<string, string> = {}): Promise<void> {
  log = recordingLog();
  server = await startServer({ settings: { ...settings, ...over }, log });
}

async function call(method: 'GET' | 'POST', path: string, body?: object): Promise<Answer> {
  const answer = await fetch(`${server?.origin}${path}`, {
    method,
    headers: body === undefined ? {} : { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: await answer.json() };
}

const email = 'ana@example.com';
const buy = (prefer = '', packageId = 1) =>
  fetch(`${server?.origin}/api/orders`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', prefer },
    body: JSON.stringify({ packageId, email }),
  }).then(async (answer): Promise<Answer> => ({ status: answer.status, body: await answer.json() }));
const orderOf = async (id: string) => (await call('GET', `/api/orders/${id}?email=${email}`)).body;
const becomes = (id: string, expected: object) =>
  vi.waitFor(async () => expect(await orderOf(id)).toMatchObject(expected), { timeout: 5_000 });

/** The page at which an order is paid, at the address where the tests reach the server. */
const checkoutOf = (url: string) => `${server?.origin}${new URL(url).pathname}`;

async function act(url: string, move: 'pay' | 'decline'): Promise<Response> {
  const body = new URLSearchParams({ act: move });
  return fetch(checkoutOf(url), { method: 'POST', body, redirect: 'manual' });
}

const findings = async () => (await auditHere(settings)).findings;

describe('an order that has to be paid', () => {
  test('Q11 is payable at once, and is confirmed when its buyer has paid at the page', async () => {
    await start();
    const { status, body } = await buy();
    expect(status).toBe(202);
    expect(body).toMatchObject({ status: 'payable', amount: 12_000, currency: 'EUR' });
    expect(new Date(body.payBy).getTime() - Date.now()).toBeGreaterThan(290_000);
    const page = await (await fetch(checkoutOf(body.paymentUrl))).text();
    expect(page).toContain('€120.00');
    expect(page).toContain('This payment is due.');
    const paid = await act(body.paymentUrl, 'pay');
    expect(paid.status).toBe(303);
    const back = new URL(paid.headers.get('location') ?? '');
    expect(back.pathname).toBe(`/orders/${body.id}`);
    await becomes(body.id, { status: 'confirmed', amount: 12_000 });
    const shown = await fetch(`${server?.origin}${back.pathname}${back.search}`, { redirect: 'manual' });
    expect(shown.status).toBe(303);
    expect(await orderOf(body.id)).not.toHaveProperty('paymentUrl');
    expect(await findings()).toEqual([]);
  });

  test('Q11 fails when the payment is declined, and its place goes to the next in the queue', async () => {
    await start();
    const first = await buy();
    const second = await buy('respond-async');
    expect(second.body.status).toBe('queued');
    await act(first.body.paymentUrl, 'decline');
    await becomes(first.body.id, { status: 'failed', reason: 'payment_declined' });
    await becomes(second.body.id, { status: 'payable' });
    const { paymentUrl } = await orderOf(second.body.id);
    await act(paymentUrl, 'pay');
    await becomes(second.body.id, { status: 'confirmed' });
    expect(await findings()).toEqual([]);
  });

  test('Q11 fails when its time is over, and a payment that comes later is refunded', async () => {
    await start({ PAYMENT_WINDOW: '1000' });
    const { body } = await buy();
    await becomes(body.id, { status: 'failed', reason: 'payment_expired' });
    await act(body.paymentUrl, 'pay');
    expect(await (await fetch(checkoutOf(body.paymentUrl))).text()).toContain('This payment was refunded.');
    expect(await orderOf(body.id)).toMatchObject({ status: 'failed' });
    expect(await findings()).toEqual([]);
  });

  test('Q11 can be cancelled by its buyer before it is paid', async () => {
    await start();
    const { body } = await buy();
    const cancelled = await call('POST', `/api/orders/${body.id}/cancel`, { email });
    expect(cancelled).toMatchObject({ status: 200, body: { status: 'failed', reason: 'payment_abandoned' } });
    expect(await (await fetch(checkoutOf(body.paymentUrl))).text()).toContain('This payment was cancelled.');
    expect((await buy()).body.status).toBe('payable');
    expect(await findings()).toEqual([]);
  });

  test('Q11 is refunded when it is cancelled after it was paid', async () => {
    await start();
    const { body } = await buy();
    await act(body.paymentUrl, 'pay');
    await becomes(body.id, { status: 'confirmed' });
    const cancelled = await call('POST', `/api/orders/${body.id}/cancel`, { email });
    expect(cancelled).toMatchObject({ status: 200, body: { status: 'cancelled' } });
    expect(await (await fetch(checkoutOf(body.paymentUrl))).text()).toContain('This payment was refunded.');
    expect(await findings()).toEqual([]);
  });

  test('Q6 Q11 is waited for again by the next owner', async () => {
    await start();
    const { body } = await buy();
    await server?.stop();
    await start();
    expect(await orderOf(body.id)).toMatchObject({ status: 'payable', payBy: body.payBy });
    await act(body.paymentUrl, 'pay');
    await becomes(body.id, { status: 'confirmed' });
    expect(await findings()).toEqual([]);
  });

  test('Q11 keeps its place while payments are off, and other orders need no payment then', async () => {
    await start();
    const { body } = await buy();
    await server?.stop();
    await start({ PAYMENTS: 'off' });
    expect((await fetch(checkoutOf(body.paymentUrl))).status).toBe(404);
    expect(await orderOf(body.id)).toMatchObject({ status: 'payable' });
    await server?.stop();
    await start();
    await act(body.paymentUrl, 'pay');
    await becomes(body.id, { status: 'confirmed' });
  });

  test('Q11 waits while another provider is set, and neither expires nor is refunded there', async () => {
    await start({ PAYMENT_WINDOW: '2000' });
    const { body } = await buy();
    await server?.stop();
    const other = await startPaymentServer();
    try {
      await start({ PAYMENTS: other.url, PUBLIC_ORIGIN: 'https://tickets.example' });
      await vi.waitFor(() => expect(Date.now()).toBeGreaterThan(Date.parse(body.payBy) + 500), 5_000);
      expect(log.lines).toContain('PAYMENTS is not the provider that has the payment of the order');
      expect(await orderOf(body.id)).toMatchObject({ status: 'payable' });
      expect(other.calls).toEqual([]);
      await server?.stop();
    } finally {
      await other.stop();
    }
    await start();
    await becomes(body.id, { status: 'failed', reason: 'payment_expired' });
    expect(await findings()).toEqual([]);
  });

  test('is paid by itself as often as the settings say', async () => {
    await start({ PAYMENT_PAY_RATE: '1' });
    const { body } = await buy();
    await becomes(body.id, { status: 'confirmed' });
    expect(await findings()).toEqual([]);
  });
});

describe('a payment provider over HTTP', () => {
  let payments: PaymentServer;
  beforeEach(async () => {
    payments = await startPaymentServer();
    await database.delete();
    database = await makeDatabase([1, 2].map((id) => onSale({ id, quota: 1, price: 120 })));
    settings = {
      ...{ ...settings, DATABASE_URL: database.url, PAYMENTS: payments.url },
      PUBLIC_ORIGIN: 'https://tickets.example',
    };
  });
  afterEach(() => payments.stop());

  const pay = (url: string) => payments.provider.act(url.split('/').at(-1) ?? '', 'pay');

  test('Q11 is asked whether an order is paid, also if it sends no events', async () => {
    await start();
    const { body } = await buy();
    expect(body.paymentUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/checkout\//);
    const { returnUrl } = (await pay(body.paymentUrl)) ?? {};
    expect(returnUrl).toMatch(new RegExp(`^https://tickets\\.example/orders/${body.id}\\?proof=`));
    await becomes(body.id, { status: 'confirmed' });
    expect(await findings()).toEqual([]);
  });

  test('Q11 Q12 that does not answer for an order keeps that order payable, and other packages sell', async () => {
    await start({ PAYMENT_WINDOW: '1000' });
    const { body } = await buy();
    payments.fails = (_, path) => path.endsWith(body.id);
    const other = await buy('', 2);
    await pay(other.body.paymentUrl);
    await becomes(other.body.id, { status: 'confirmed' });
    const looks = () => payments.calls.filter((each) => each === `GET /api/payments/${body.id}`).length;
    await vi.waitFor(() => expect(looks()).toBeGreaterThan(2), { timeout: 10_000 });
    expect(Date.now()).toBeGreaterThan(new Date(body.payBy).getTime());
    expect(await orderOf(body.id)).toMatchObject({ status: 'payable' });
    await pay(body.paymentUrl);
    payments.fails = () => false;
    await vi.waitFor(async () => expect(await orderOf(body.id)).toMatchObject({ status: 'confirmed' }), {
      timeout: 10_000,
    });
    expect(await findings()).toEqual([]);
  });

  test('Q11 that does not find a paid payment any more has to refund it when its order expires', async () => {
    await start({ PAYMENT_WINDOW: '1000' });
    const { body } = await buy();
    payments.forgets = (path) => path.endsWith(body.id);
    payments.fails = (method) => method === 'DELETE';
    await pay(body.paymentUrl);
    await becomes(body.id, { status: 'compensating', reason: 'payment_expired' });
    expect((await call('GET', '/api/packages/1')).body).toMatchObject({ remaining: 0, held: 1 });
    payments.fails = () => false;
    await becomes(body.id, { status: 'failed', reason: 'payment_expired' });
    expect((await payments.provider.find(body.id))?.status).toBe('refunded');
    expect(log.lines).toContain('The payment provider does not know the payment of an order.');
    expect(await findings()).toEqual([]);
  });

  test('Q11 whose refund keeps failing holds the place until it has worked', async () => {
    await start();
    const { body } = await buy();
    await pay(body.paymentUrl);
    await becomes(body.id, { status: 'confirmed' });
    payments.fails = (method) => method === 'DELETE';
    const cancelled = await fetch(`${server?.origin}/api/orders/${body.id}/cancel`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', prefer: 'respond-async' },
      body: JSON.stringify({ email }),
    });
    expect(cancelled.status).toBe(202);
    await vi.waitFor(() => {
      expect(payments.calls.filter((each) => each.startsWith('DELETE')).length).toBeGreaterThan(2);
    });
    expect((await call('GET', '/api/packages/1')).body).toMatchObject({ remaining: 0, confirmed: 1 });
    payments.fails = () => false;
    await becomes(body.id, { status: 'cancelled' });
    expect((await payments.provider.find(body.id))?.status).toBe('refunded');
    expect(await findings()).toEqual([]);
  });
});

test('Q1 Q4 Q11 of 500 buyers, of whom a third never pays, five get and pay what there is', {
  timeout: 90_000,
}, async () => {
  await database.delete();
  database = await makeDatabase(paidSale.packages);
  settings = { ...paidSale.settings, DATABASE_URL: database.url };
  await start();
  await expectPaidSale({ origins: () => [server?.origin ?? ''] });
  // Every payment that is neither of the five is void or refunded.
  expect(await auditHere(settings)).toMatchObject({ ok: true, findings: [], payments: 5 });
});

test('an order needs no payment while payments are off', async () => {
  await start({ PAYMENTS: 'off' });
  const { status, body } = await buy();
  expect(status).toBe(201);
  expect(body).not.toHaveProperty('amount');
  expect(body.timeline.map(({ event }: { event: string }) => event)).toEqual([
    ...['claimed', 'flight reserved', 'hotel reserved', 'confirmed'],
  ]);
});
