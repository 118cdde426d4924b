import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { settledStatuses } from '../../../src/domain/order.ts';
import { type BreakableNetwork, breakableNetwork } from '../../../test/support/breakable-network.ts';
import { type ManualSale, startManualSale } from '../../../test/support/manual-sale.ts';
import {
  makeDatabase,
  onSale,
  startServer,
  type TestDatabase,
  type TestServer,
} from '../../../test/support/server.ts';
import { type Fetch, isFinal, type Order, type PurchaseAbortedError, TicketClient } from './index.ts';

/* The client on real servers, with Node's own fetch and WebSocket. */

const ana = { packageId: 1, email: 'ana@example.com' };
const ben = { packageId: 1, email: 'ben@example.com' };
const stops: (() => Promise<unknown> | unknown)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function start(settings: Record<string, string>, quota = 2): Promise<TestServer> {
  const server = await startServer({ settings, packages: [onSale({ quota })] });
  stops.push(() => server.stop());
  return server;
}

/** A sale of one unit, whose flights the test answers, behind a network that it can break. */
async function startSale(): Promise<{ sale: ManualSale; network: BreakableNetwork }> {
  const sale = await startManualSale();
  stops.push(() => sale.stop());
  const network = await breakableNetwork(sale.server.origin);
  stops.push(() => network.close());
  return { sale, network };
}

/** Counts requests. */
function countingFetch() {
  const counted = Object.assign(
    (...args: Parameters<Fetch>): Promise<Response> => {
      counted.requests++;
      return fetch(...args);
    },
    { requests: 0 },
  );
  return counted;
}

test('buys, looks up and cancels, and throws the problems of the server', async () => {
  const { origin } = await start({ FLIGHT_FAILURE_RATE: '0' });
  const client = new TicketClient(origin);
  const order = await client.buy(ana);
  expect(order.status).toBe('confirmed');
  expect(await client.order(order)).toEqual(order);
  expect(await client.waitForOutcome(order)).toEqual(order);
  expect((await client.buy(ben)).status).toBe('confirmed');
  await expect(client.buy(ben)).rejects.toMatchObject({ code: 'sold_out', status: 409 });
  await expect(client.order({ ...order, email: 'eve@example.com' })).rejects.toMatchObject({
    ...{ name: 'ProblemError', code: 'unknown_order', status: 404 },
  });
  expect((await client.cancel(order)).status).toBe('cancelled');
  expect(await client.package(1)).toMatchObject({ remaining: 1, confirmed: 1 });
  for await (const { id } of client.allPackages()) expect(id).toBe(1);
});

test('Q7 buys once, also when the answer is lost', async () => {
  const { origin } = await start({ FLIGHT_FAILURE_RATE: '0' });
  const answers: number[] = [];
  const client = new TicketClient(origin, {
    async fetch(...args) {
      const answer = await fetch(...args);
      answers.push(answer.status);
      if (answers.length < 3) throw new TypeError('the connection is lost');
      return answer;
    },
  });
  const order = await client.buy(ana);
  expect(order.status).toBe('confirmed');
  expect(answers).toEqual([201, 201, 201]);
  expect(await client.package(1)).toMatchObject({ remaining: 1, confirmed: 1 });
});

test('does not follow a redirect of a proxy', async () => {
  const { origin } = await start({ FLIGHT_FAILURE_RATE: '0' });
  const proxy = createServer(({ url }, response) => {
    response.writeHead(307, { location: `${origin}${url}` }).end();
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  stops.push(() => proxy.close());
  const { port } = proxy.address() as AddressInfo;
  const error = new TicketClient(`http://127.0.0.1:${port}`).buy(ana);
  await expect(error).rejects.toThrow(`the answer is a redirect to ${origin}, which is not followed`);
  expect(await new TicketClient(origin).package(1)).toMatchObject({ held: 0, confirmed: 0 });
});

test('Q7 buys once when a purchase is aborted and bought again with its key', async () => {
  const { origin } = await start({ FLIGHT_FAILURE_RATE: '0', SUPPLIER_LATENCY_MS: '300' });
  const client = new TicketClient(origin);
  const stop = new AbortController();
  const error = client.buy(ana, { signal: stop.signal }).catch((thrown: unknown) => thrown);
  await vi.waitFor(async () => expect(await client.package(1)).toMatchObject({ held: 1 }));
  stop.abort();
  const aborted = (await error) as PurchaseAbortedError;
  expect(aborted).toMatchObject({ name: 'PurchaseAbortedError', cause: stop.signal.reason });
  const order = await client.buy(ana, { idempotencyKey: aborted.idempotencyKey });
  expect(order.status).toBe('confirmed');
  expect(await client.package(1)).toMatchObject({ remaining: 1, confirmed: 1 });
});

test('waits as long as the rate limit says', async () => {
  const { origin } = await start({
    FLIGHT_FAILURE_RATE: '0',
    RATE_LIMIT: 'on',
    RATE_LIMIT_PURCHASES: '1/1s',
  });
  const client = new TicketClient(origin);
  const orders = await Promise.all([client.buy(ana), client.buy(ben)]);
  expect(orders.map(({ status }) => status)).toEqual(['confirmed', 'confirmed']);
});

test('throws the order that has failed', async () => {
  const { origin } = await start({ FLIGHT_FAILURE_RATE: '1' });
  const client = new TicketClient(origin);
  await expect(client.buy(ana)).rejects.toMatchObject({
    ...{ name: 'ProblemError', code: 'supplier_failed', status: 502 },
    order: { status: 'failed', reason: 'flight_unavailable' },
  });
});

test('follows an order from the queue to its outcome over one socket, with its position', async () => {
  const { sale } = await startSale();
  const ask = countingFetch();
  const client = new TicketClient(sale.server.origin, { fetch: ask });
  await sale.otherHolds();
  const order = await client.buy(ana, { waitSeconds: 0 });
  ask.requests = 0;
  const seen: Order[] = [];
  const outcome = client.waitForOutcome(order, { onUpdate: (state) => seen.push(state) });
  await vi.waitFor(() => expect(seen.at(-1)).toMatchObject({ status: 'queued', queuePosition: 1 }));
  expect(seen.at(-1)).toHaveProperty('estimatedWait');
  sale.supplier.release('other@example.com', 'no seat');
  expect(await outcome).toMatchObject({ status: 'confirmed', flight: {}, hotel: {} });
  expect(seen.at(-1)?.status).toBe('confirmed');
  expect(ask.requests).toBe(1);
});

test.each([
  ['pay', { status: 'confirmed' }, { status: 'confirmed' }],
  ['decline', { status: 'failed', reason: 'payment_declined' }, { status: 402, code: 'payment_declined' }],
])('tells where to pay, and waits on, over one socket: the buyer will %s', async (act, end, again) => {
  const { origin } = await start({
    ...{ PAYMENTS: 'simulated', CURRENCY: 'EUR', FLIGHT_FAILURE_RATE: '0', SUPPLIER_LATENCY_MS: '200' },
  });
  const ask = countingFetch();
  const client = new TicketClient(origin, { fetch: ask });
  const seen: Order['status'][] = [];
  const due: string[] = [];
  const buy = () => client.buy(ana, { waitSeconds: 0, idempotencyKey: 'mine-1' });
  const outcome = await client.waitForOutcome(await buy(), {
    onUpdate: ({ status }) => seen.push(status),
    onPayable({ paymentUrl, amount, currency }) {
      due.push(`${amount} ${currency}`);
      const body = new URLSearchParams({ act });
      void fetch(`${origin}${new URL(paymentUrl).pathname}`, { method: 'POST', body, redirect: 'manual' });
    },
  });
  expect(outcome).toMatchObject(end);
  expect(due).toEqual(['10000 EUR']);
  expect(seen).toEqual(expect.arrayContaining(['payable', end.status]));
  expect(ask.requests).toBe(2);
  expect(await buy().catch((error: unknown) => error)).toMatchObject(again);
});

test('follows an order over a socket of the package ws, which can be terminated', async () => {
  const { sale } = await startSale();
  const ask = countingFetch();
  const client = new TicketClient(sale.server.origin, { fetch: ask, WebSocket });
  await sale.otherHolds();
  const order = await client.buy(ana, { waitSeconds: 0 });
  const positions: (number | undefined)[] = [];
  const outcome = client.waitForOutcome(order, {
    onUpdate: ({ queuePosition }) => positions.push(queuePosition),
  });
  await vi.waitFor(() => expect(positions).toContain(1));
  sale.supplier.release('other@example.com', 'no seat');
  expect((await outcome).status).toBe('confirmed');
  expect(ask.requests).toBe(2);
});

test('polls where sockets are refused, and where there are none', async () => {
  const { sale, network } = await startSale();
  network.refuseSockets();
  await sale.otherHolds();
  const order = await new TicketClient(network.origin).buy(ana, { waitSeconds: 0 });
  const outcomes = [
    new TicketClient(network.origin).waitForOutcome(order),
    new TicketClient(network.origin, { WebSocket: null }).waitForOutcome(order),
  ];
  sale.supplier.release('other@example.com', 'no seat');
  expect((await Promise.all(outcomes)).map(({ status }) => status)).toEqual(['confirmed', 'confirmed']);
});

test('waits through a broken network, and reconnects', async () => {
  const { sale, network } = await startSale();
  const client = new TicketClient(network.origin);
  await sale.otherHolds();
  const order = await client.buy(ana, { waitSeconds: 0 });
  const statuses: string[] = [];
  const outcome = client.waitForOutcome(order, { onUpdate: ({ status }) => statuses.push(status) });
  await vi.waitFor(() => expect(statuses).toContain('queued'));
  network.cut();
  sale.supplier.hold(ana.email);
  sale.supplier.release('other@example.com', 'no seat');
  const direct = new TicketClient(sale.server.origin);
  await vi.waitFor(async () => expect((await direct.order(order)).status).toBe('held'));
  expect(statuses).not.toContain('held');
  network.mend();
  await vi.waitFor(() => expect(statuses).toContain('held'));
  sale.supplier.release(ana.email, 'seat');
  expect((await outcome).status).toBe('confirmed');
});

test('Q6 waits through a restart of the server', async () => {
  const database: TestDatabase = await makeDatabase([onSale({ quota: 1 })]);
  stops.push(() => database.delete());
  const settings = { DATABASE_URL: database.url, FLIGHT_FAILURE_RATE: '0' };
  const first = await startServer({ settings: { ...settings, SUPPLIER_LATENCY_MS: '60000' } });
  const network = await breakableNetwork(first.origin);
  stops.push(() => network.close());
  const client = new TicketClient(network.origin);
  const order = await client.buy(ana, { waitSeconds: 0 });
  const statuses: string[] = [];
  const outcome = client.waitForOutcome(order, { onUpdate: ({ status }) => statuses.push(status) });
  await vi.waitFor(() => expect(statuses).toEqual(['held']));
  await first.stop();
  const second = await startServer({ settings });
  stops.push(() => second.stop());
  network.leadTo(second.origin);
  expect((await outcome).status).toBe('confirmed');
});

test('ends when its time is over or its signal aborts, and closes its sockets', async () => {
  const { sale } = await startSale();
  const client = new TicketClient(sale.server.origin);
  await sale.otherHolds();
  const order = await client.buy(ana, { waitSeconds: 0 });
  await expect(client.waitForOutcome(order, { timeoutMs: 100 })).rejects.toMatchObject({
    ...{ name: 'OutcomeTimeoutError', order: { id: order.id, status: 'queued' } },
  });
  await expect(client.waitForOutcome(order, { signal: AbortSignal.timeout(100) })).rejects.toMatchObject({
    name: 'TimeoutError',
  });
  // Leaving the queue ends a wait too.
  const outcome = client.waitForOutcome(order);
  expect((await client.cancel(order)).status).toBe('withdrawn');
  expect((await outcome).status).toBe('withdrawn');
});

test('knows the same final states as the server', () => {
  const states: Order['status'][] = [
    'queued',
    'held',
    'payable',
    'compensating',
    'cancelling',
    ...settledStatuses,
  ];
  expect(states.filter((status) => isFinal({ status }))).toEqual(settledStatuses);
});
