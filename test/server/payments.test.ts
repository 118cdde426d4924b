import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { auditHere } from '../support/audit.ts';
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
  server = await startServer({ settings: { ...settings, ...over } });
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
const buy = (prefer = '') =>
  fetch(`${server?.origin}/api/orders`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', prefer },
    body: JSON.stringify({ packageId: 1, email }),
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
    await start({ PAYMENT_WINDOW_MS: '1000' });
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

  test('is paid by itself as often as the settings say', async () => {
    await start({ PAYMENT_PAY_RATE: '1' });
    const { body } = await buy();
    await becomes(body.id, { status: 'confirmed' });
    expect(await findings()).toEqual([]);
  });
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
