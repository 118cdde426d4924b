import { once } from 'node:events';
import { createServer as createNodeServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { getRequestListener } from '@hono/node-server';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createApp } from '../../src/compose/app.ts';
import type { Order } from '../../src/domain/order.ts';
import { ActorEngine } from '../../src/engine/actor/actor-engine.ts';
import { systemClock as clock } from '../../src/lib/clock.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { silentLog as log } from '../../src/observability/log.ts';
import { localLiveBus } from '../../src/realtime/live-bus.ts';
import { openSqliteStore, type SqliteStore } from '../../src/storage/sqlite/sqlite-store.ts';
import { packagesOf } from '../support/all-packages.ts';
import { ScriptedSuppliers } from '../support/scripted-suppliers.ts';
import { makeDatabase, onSale, type TestDatabase } from '../support/server.ts';

/*
 * Q10: guessing ids or emails reveals nothing, neither by the answer nor by its cost. These tests run the whole app
 * over the real engine, and record every call of the store.
 */

const email = 'ana@example.com';
const unknown = '0000-0000-0000-0000';
const calls: string[] = [];
let database: TestDatabase;
let store: SqliteStore;
let engine: ActorEngine;
let server: Server;
let order: Order;
const key = 'the-key-of-a-form';

beforeAll(async () => {
  database = await makeDatabase([onSale({ quota: 2 })]);
  store = openSqliteStore({ file: database.url.replace('sqlite:', '') });
  const suppliers = new ScriptedSuppliers();
  const liveBus = localLiveBus();
  const random = systemRandom();
  engine = new ActorEngine({
    ...{
      store: counted(store),
      suppliers,
      liveBus,
      clock,
      random,
      log,
      instance: 'one',
    },
    rules: { waitersPerUnit: 2, waitersMax: 100, ordersPerEmail: 0, rejectionsMax: 100 },
    snapshotMaxAgeMs: Number.POSITIVE_INFINITY,
  });
  await engine.start();
  const settings = { instanceId: 'one', secret: 's'.repeat(32), currency: 'USD' };
  const client = { reserveFlight: never, reserveHotel: never, cancel: never, ledger: never };
  const { app, live } = createApp({ engine, liveBus, suppliers: client, clock, random, log, settings });
  server = createNodeServer(getRequestListener(app.fetch) as never).listen(0, '127.0.0.1');
  live.attach(server);
  await once(server, 'listening');
  const bought = await engine.purchase({ packageId: 1, email, key });
  order = bought.order as Order;
});
afterAll(async () => {
  server.close();
  server.closeAllConnections();
  await engine.drain();
  engine.close();
  await store.close();
  await database.delete();
});
// Warms the cache of packages.
beforeEach(() => packagesOf(engine));

async function never(): Promise<never> {
  throw new Error('nobody asks the suppliers here');
}

function counted(whole: SqliteStore): SqliteStore {
  return new Proxy(whole, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return (...given: unknown[]) => {
        calls.push(String(name));
        return Reflect.apply(member, target, given) as unknown;
      };
    },
  });
}

/** Sends one request. Returns the raw answer without the parts that differ from one moment to the next. */
async function send(
  method: string,
  path: string,
  headers: readonly string[] = [],
  body = '',
): Promise<string> {
  const { port } = server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  const ending = headers.some((line) => line.startsWith('Connection:')) ? [] : ['Connection: close'];
  const length = method === 'POST' ? [`Content-Length: ${Buffer.byteLength(body)}`] : [];
  const lines = [`${method} ${path} HTTP/1.1`, 'Host: localhost', ...ending, ...length, ...headers, '', body];
  socket.write(lines.join('\r\n'));
  const answer = await text(socket);
  return answer.replace(/^Date: .*$/m, 'Date').replace(/data-now="\d+"/, 'data-now');
}

const upgrade = [
  ...['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'],
  `Sec-WebSocket-Key: ${'A'.repeat(22)}==`,
];
const asForm = ['Content-Type: application/x-www-form-urlencoded'];
const asJson = ['Content-Type: application/json'];

/** An attempt to guess an order. Returns the answer without the typed input, which the form repeats. */
type Try = (id: string, email: string) => Promise<string>;

const byEmail: [string, Try][] = [
  ['GET /api/orders/:id', (id, by) => send('GET', `/api/orders/${id}?email=${encodeURIComponent(by)}`)],
  [
    'POST /api/orders/:id/cancel',
    (id, by) => send('POST', `/api/orders/${id}/cancel`, asJson, JSON.stringify({ email: by })),
  ],
  [
    'POST /query',
    async (id, by) => {
      const answer = await send('POST', '/query', asForm, new URLSearchParams({ id, email: by }).toString());
      return answer.replaceAll(/value="[^"]*"/g, 'value').replace(/^Content-Length: \d+$/im, '');
    },
  ],
];

const byProof: [string, Try][] = [
  ['GET /orders/:id', (id, proof) => send('GET', `/orders/${id}?proof=${proof}`)],
  ['GET /orders/:id/fragment', (id, proof) => send('GET', `/orders/${id}/fragment?proof=${proof}`)],
  ['GET /orders/:id/calendar.ics', (id, proof) => send('GET', `/orders/${id}/calendar.ics?proof=${proof}`)],
  ['POST /orders/:id/cancel', (id, proof) => send('POST', `/orders/${id}/cancel?proof=${proof}`, asForm, '')],
  ['GET /live', (id, proof) => send('GET', `/live?topic=order:${id}&proof=${proof}`, upgrade)],
];

async function observe(tried: Promise<string>): Promise<{ answer: string; calls: string[] }> {
  calls.length = 0;
  const answer = await tried;
  return { answer, calls: [...calls] };
}

describe('Q10 every failed look-up by email gets the same answer, after the same calls of the store', () => {
  it.each(byEmail)('%s', async (_where, attempt) => {
    const first = await observe(attempt(order.id, 'eve@example.com'));
    expect(first.answer).toMatch(/^HTTP\/1\.1 404 /);
    expect(first.calls).toEqual(['order']);
    for (const [id, by] of [
      [unknown, email],
      [unknown, 'eve@example.com'],
      ['nonsense', email],
    ] as const) {
      expect(await observe(attempt(id, by)), `${id} ${by}`).toEqual(first);
    }
  });

  it.each(byEmail)('%s, also with an invalid email', async (_where, attempt) => {
    for (const by of ['no-email', '-', '', ' ']) {
      const first = await observe(attempt(order.id, by));
      expect(first.answer).toMatch(/^HTTP\/1\.1 4(04|22) /);
      for (const id of [unknown, 'nonsense']) {
        expect(await observe(attempt(id, by)), `${id} ${by}`).toEqual(first);
      }
    }
  });
});

describe('Q10 every failed look-up by proof gets the same answer, without a call of the store', () => {
  it.each(byProof)('%s', async (_where, attempt) => {
    const first = await observe(attempt(order.id, 'wrong'));
    expect(first.answer).toMatch(/^HTTP\/1\.1 404 /);
    expect(first.calls).toEqual([]);
    for (const [id, proof] of [
      [unknown, 'wrong'],
      ['nonsense', 'wrong'],
      [order.id, ''],
      [order.id, 'A'.repeat(22)],
      [unknown, 'A'.repeat(22)],
    ] as const) {
      expect(await observe(attempt(id, proof)), `${id} ${proof}`).toEqual(first);
    }
  });
});

it('Q10 every failed look-up by the key of a form gets the same answer, after the same calls of the store', async () => {
  const attempt = (packageId: string, by: string, formKey: string) =>
    send(
      'POST',
      '/order/sent',
      asForm,
      new URLSearchParams({ packageId, email: by, key: formKey }).toString(),
    );
  const first = await observe(attempt('1', 'eve@example.com', key));
  expect(first.answer).toMatch(/^HTTP\/1\.1 404 /);
  expect(first.calls).toEqual(['ordersByKey']);
  expect(await observe(attempt('1', email, 'another-key'))).toEqual(first);
  expect(await observe(attempt('9', email, key))).toEqual(first);
  expect((await observe(attempt('1', email, key))).answer).toMatch(/^HTTP\/1\.1 303 /);
});

it('a successful look-up makes more calls of the store than a failed one, so the comparison is meaningful', async () => {
  const { answer, calls: asked } = await observe(
    send('GET', `/api/orders/${order.id}?email=${encodeURIComponent(email)}`),
  );
  expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  expect(asked).toContain('order');
});
