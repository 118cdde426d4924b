import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Client } from './client.ts';
import { clientsNow } from './clock.ts';
import { drain } from './drain.ts';
import type { HistoryEntry } from './history.ts';

let server: Server;
let client: Client;
let answer: RequestListener;
let history: HistoryEntry[];

beforeEach(async () => {
  history = [];
  server = createServer((request, response) => answer(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origins = [`http://127.0.0.1:${(server.address() as AddressInfo).port}`];
  client = new Client({ origins, now: clientsNow, write: (entry) => history.push(entry) });
});
afterEach(async () => {
  await client.close();
  server.close();
  server.closeAllConnections();
});

const request = { packageId: 1, email: 'a@example.com', key: 'k' };
const order = { id: 'A', packageId: 1, email: 'a@example.com', status: 'confirmed' };

function say(status: number, body: unknown): void {
  answer = (_request, response) => response.writeHead(status).end(JSON.stringify(body));
}

it('records a purchase with its order', async () => {
  say(201, { ...order, flight: { ticketNumber: 'F1' }, hotel: { reservationNumber: 'H1' }, timeline: [] });
  await client.purchase(0, request);
  const [entry] = history;
  expect(entry).toMatchObject({
    kind: 'purchase',
    ...request,
    status: 201,
    order: { ...order, ticketNumber: 'F1', reservationNumber: 'H1' },
  });
  const { sentAt, endedAt } = entry as unknown as { sentAt: number; endedAt: number };
  expect(endedAt).toBeGreaterThanOrEqual(sentAt);
});

it('records a problem with its code and its order', async () => {
  say(502, { code: 'supplier_failed', status: 502, order: { ...order, status: 'failed' } });
  expect(await client.purchase(0, request)).toMatchObject({
    status: 502,
    code: 'supplier_failed',
    order: { id: 'A', status: 'failed' },
  });
  say(404, { code: 'unknown_order', status: 404 });
  const missed = await client.lookUp(0, { orderId: 'A', email: 'a@example.com' });
  expect(missed).toMatchObject({ status: 404, code: 'unknown_order' });
  expect(missed).not.toHaveProperty('order');
});

it('records a payable order with its page, and what its buyer does there', async () => {
  const { origin } = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const paymentUrl = `${origin}/checkout/N1`;
  const payBy = '2029-06-01T09:05:00.000Z';
  say(202, { ...order, status: 'payable', paymentUrl, payBy, timeline: [] });
  const bought = await client.purchase(0, request);
  expect(bought.order).toMatchObject({ status: 'payable', paymentUrl, payBy: Date.parse(payBy) });
  const asked: string[] = [];
  answer = async (incoming, response) => {
    asked.push(`${incoming.method} ${incoming.url} ${await text(incoming)}`);
    response.writeHead(303, { location: 'http://tickets.example' }).end();
  };
  expect(await client.act('decline', { orderId: 'A', paymentUrl })).toMatchObject({ status: 303 });
  expect(asked).toEqual(['POST /checkout/N1 act=decline']);
  expect(history.at(-1)).toMatchObject({ kind: 'decline', orderId: 'A', origin, status: 303 });
  expect(history.at(-1)).not.toHaveProperty('error');
});

it('records no status without a complete answer', async () => {
  answer = (_request, response) => void response.destroy();
  const cut = await client.purchase(0, request);
  expect(cut).not.toHaveProperty('status');
  expect(cut.error).toEqual(expect.any(String));
  answer = (_request, response) => {
    response.writeHead(201, { 'content-length': 100 }).write('{"id"', () => response.destroy());
  };
  expect(await client.purchase(0, request)).not.toHaveProperty('status');
});

it('closes the connection after the timeout', async () => {
  const { promise: hungUp, resolve } = Promise.withResolvers<void>();
  answer = (_request, response) => void response.once('close', resolve);
  expect(await client.purchase(0, request, { timeoutMs: 30 })).toMatchObject({ error: 'hung up' });
  await hungUp;
});

it('drains until nothing is held or waiting, and reports the unfinished orders after the timeout', async () => {
  let asked = 0;
  const figures = (held: number) => ({
    packages: [{ id: 7, quota: 2, remaining: 1, held, confirmed: 1, waiting: 0 }],
  });
  answer = (_request, response) => response.end(JSON.stringify(figures(asked++ === 0 ? 1 : 0)));
  const options = { client, unfinished: () => [], stop: new AbortController().signal };
  expect(await drain({ ...options, timeoutMs: 5_000 })).toMatchObject({ left: [] });
  expect(asked).toBe(2);
  say(200, figures(1));
  const { left } = await drain({ ...options, timeoutMs: 0 });
  expect(left).toEqual([expect.stringMatching(/^instance-1 shows package 7 with 1 held and 0 waiting/)]);
});

it('pays for payable orders while it drains', async () => {
  const { origin } = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const payable = { ...order, status: 'payable', paymentUrl: `${origin}/checkout/N1` };
  let isPaid = false;
  answer = (incoming, response) => {
    isPaid ||= incoming.method === 'POST' && incoming.url === '/checkout/N1';
    if (incoming.method === 'POST') response.writeHead(303, { location: origin }).end();
    else response.end(JSON.stringify(incoming.url === '/api/packages' ? { packages: [] } : payable));
  };
  const unfinished = () => (isPaid ? [] : [{ orderId: 'A', email: 'a@example.com' }]);
  const stop = new AbortController().signal;
  expect(await drain({ client, unfinished, stop, timeoutMs: 5_000 })).toMatchObject({ left: [] });
  expect(history).toMatchObject([{ kind: 'look-up' }, { kind: 'pay', orderId: 'A', status: 303 }]);
});

it('drains until every order was seen in a final status', async () => {
  answer = (request, response) =>
    response.end(JSON.stringify(request.url === '/api/packages' ? { packages: [] } : order));
  const orders = [{ orderId: 'A', email: 'a@example.com' }];
  const unfinished = () => (history.length > 0 ? [] : orders);
  const stop = new AbortController().signal;
  expect(await drain({ client, unfinished, stop, timeoutMs: 5_000 })).toMatchObject({ left: [] });
  expect(history).toEqual([expect.objectContaining({ kind: 'look-up', orderId: 'A' })]);
});
