import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { buy, cancel, lookUp } from '../support/api-client.ts';
import { type FaultySupplier, startFaultySupplier, supplierFaults } from '../support/faulty-supplier.ts';
import { makeDatabase, onSale, type TestDatabase } from '../support/server.ts';
import { type ServerProcess, spawnServer } from '../support/server-process.ts';

/** A part of every email below that occurs in no other text. */
const mark = 'zebra';
const json = { 'content-type': 'application/json' };

let supplier: FaultySupplier;
let database: TestDatabase;
let server: ServerProcess;

beforeEach(async () => {
  supplier = await startFaultySupplier({
    fault: ({ body, operation, nth }) => {
      if (operation === 'cancel') return nth === 1 ? supplierFaults.doneBut500 : {};
      const email = String(body.email);
      if (email.startsWith('refused')) return supplierFaults.refuse;
      if (email.startsWith('broken')) return supplierFaults.error500;
      return email.startsWith('garbage') ? supplierFaults.garbage : {};
    },
  });
  database = await makeDatabase([onSale({ quota: 6 }), onSale({ id: 2, quota: 1 })]);
  server = await spawnServer({
    DATABASE_URL: database.url,
    SUPPLIERS_URL: supplier.url,
    PUBLIC_SUPPLIERS: 'on',
    SUPPLIER_TIMEOUT_MS: '200',
    LOG_LEVEL: 'trace',
    RATE_LIMIT: 'off',
    ADMIN_TOKEN: adminToken,
  });
});
afterEach(async () => {
  await server.end('SIGKILL');
  await supplier.stop();
  await database.delete();
});

function get(path: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${server.origin}${path}`, { headers, redirect: 'manual' });
}

function post(path: string, body: string, headers: Record<string, string> = json): Promise<Response> {
  return fetch(`${server.origin}${path}`, { method: 'POST', headers, body, redirect: 'manual' });
}

function form(path: string, fields: Record<string, string>): Promise<Response> {
  return post(path, new URLSearchParams(fields).toString(), {
    'content-type': 'application/x-www-form-urlencoded',
  });
}

/** The lines that are complete. */
function lines(): Record<string, unknown>[] {
  return server
    .output()
    .split('\n')
    .slice(0, -1)
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** A connection beside the server's, which waits while the server writes. */
function anotherWriter(): DatabaseSync {
  return new DatabaseSync(database.url.replace('sqlite:', ''), { timeout: 10_000 });
}

const adminToken = 'a-token-for-operators-alone';

/** Sends emails in all places, also wrong ones, and causes failures of such requests. */
async function everythingWithEmails(): Promise<void> {
  const email = `buyer.${mark}@example.com`;
  const { order } = await buy(server.origin, 1, { email, key: `${mark}-key` });
  const id = order?.id ?? '';
  expect(id).not.toBe('');
  await lookUp(server.origin, id, email);
  await lookUp(server.origin, id, `other.${mark}@example.com`);
  await cancel(server.origin, id, email);
  await cancel(server.origin, id, `not.yours.${mark}@example.com`);
  for (const kind of ['refused', 'broken', 'garbage']) {
    await buy(server.origin, 1, { email: `${kind}.${mark}@example.com`, prefer: 'wait=1' });
  }
  for (const path of [
    `/api/orders/${email}`,
    `/api/orders/${encodeURIComponent(email)}?email=${encodeURIComponent(email)}`,
    `/orders/${email}?email=${email}`,
    `/${email}/%zz?${email}`,
    `/api/packages/${email}`,
    `/order?package=${email}`,
    `/live?topic=order:${email}`,
  ]) {
    await get(path, {
      'x-request-id': email,
      traceparent: `00-${mark}@example.com-00-01`,
      cookie: `a=${email}`,
    });
  }
  await post('/api/orders', `{"packageId":1,"email":"${email}"`);
  await post('/api/orders', JSON.stringify({ packageId: email, email: `${email} ${email}` }));
  await post('/api/orders', email, { 'content-type': 'text/plain' });
  await form('/order', { packageId: '2', email, key: `${mark}-form-key` });
  await form('/order', { packageId: '9', email });
  await form('/order-queue', { packageId: '2', email });
  await form('/query', { orderId: id, email });
  await form('/query', { orderId: email, email });
  await post(
    '/api/suppliers/flights/reservations',
    JSON.stringify({ packageId: 1, flight: 'Flight-1', email }),
    {
      ...json,
      'idempotency-key': `${mark}-supplier-key`,
    },
  );
  const operator = { ...json, authorization: `Bearer ${adminToken}` };
  for (const search of [
    { email },
    { email, cursor: '1-1', limit: 1 },
    { email: `${email} ` },
    { email: `@${email}` },
  ]) {
    await post('/api/admin/orders/search', JSON.stringify(search), operator);
  }
  await get(`/api/admin/orders/search?email=${email}`, operator);
  await form('/admin/orders/search', { email });
  const socket = new WebSocket(`${server.origin.replace('http', 'ws')}/live?topic=order:${email}`);
  await new Promise((resolve) => socket.once('error', resolve));
}

test('no log line contains an email or a key, also after failures', {
  timeout: 60_000,
}, async () => {
  await everythingWithEmails();
  const other = anotherWriter();
  other.exec('BEGIN IMMEDIATE');
  try {
    const { status } = await post(
      '/api/orders',
      JSON.stringify({ packageId: 1, email: `late.${mark}@example.com` }),
      { ...json, prefer: 'respond-async' },
    );
    expect(status).toBe(503);
  } finally {
    other.exec('ROLLBACK');
    other.close();
  }
  expect(lines().length).toBeGreaterThan(25);
  expect(lines().some(({ level }) => level === 'warn')).toBe(true);
  expect(server.output().toLowerCase()).not.toContain(mark);
});

test('debug logs one line per request with id, route and order; info logs none', async () => {
  await get('/api/orders/AAAA-BBBB-CCCC-DDDD?email=someone@example.com', {
    'x-request-id': 'from-outside-1',
  });
  await vi.waitUntil(() => lines().some(({ requestId }) => requestId === 'from-outside-1'));
  const line = lines().find(({ requestId }) => requestId === 'from-outside-1');
  expect(line).toMatchObject({
    level: 'debug',
    method: 'GET',
    route: '/api/orders/:id',
    path: '/api/orders/AAAA-BBBB-CCCC-DDDD',
    orderId: 'AAAA-BBBB-CCCC-DDDD',
    status: 404,
  });
  await server.end('SIGTERM');
  server = await spawnServer({ DATABASE_URL: database.url, LOG_LEVEL: 'info' });
  const before = lines().length;
  await get('/api/packages');
  await get('/nothing-here');
  await buy(server.origin, 1);
  expect(lines().length).toBe(before);
});

test('the answer to a failed request has the same request id as the log line', async () => {
  const other = anotherWriter();
  other.exec('BEGIN EXCLUSIVE');
  try {
    const refused = await post('/api/orders', JSON.stringify({ packageId: 1, email: 'a@example.com' }), {
      ...json,
      'x-request-id': 'from-outside-2',
    });
    expect([refused.status, refused.headers.get('x-request-id')]).toEqual([503, 'from-outside-2']);
  } finally {
    other.exec('ROLLBACK');
    other.close();
  }
  expect((await get('/api/packages/99')).headers.get('x-request-id')).toBeNull();
});
