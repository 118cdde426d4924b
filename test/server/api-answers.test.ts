import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createServer } from '../../src/http/server/server.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { silentLog } from '../../src/observability/log.ts';
import { allOperations } from '../../src/openapi/routes.ts';
import { signedEvent } from '../../src/suppliers/payment-events.ts';
import { fakeApp } from '../support/fake-app.ts';
import {
  asServed,
  expectMatchesOpenApi,
  type OpenApiDescription,
  operationAt,
} from '../support/openapi-conformance.ts';
import { onSale, startServer, type TestServer } from '../support/server.ts';

/* A real server answers over the network as the description that it serves says. */

const ADMIN_TOKEN = 'a-token-of-some-length-0123456789';
const SUPPLIERS_TOKEN = 'another-token-of-some-length-0123';
const PAYMENTS_WEBHOOK_SECRET = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
const operator = { Authorization: `Bearer ${ADMIN_TOKEN}` };
const peer = { Authorization: `Bearer ${SUPPLIERS_TOKEN}` };
const email = 'ana@example.com';
const flights = '/api/suppliers/flights/reservations';
const hotels = '/api/suppliers/hotels/reservations';
const hour = 3_600_000;

let server: TestServer;
/** A server with slow, refusing suppliers and low rate limits. */
let strained: TestServer;
let description: OpenApiDescription;
const seen = new Map<string, Set<number>>();

beforeAll(async () => {
  const settings = { ADMIN_TOKEN, SUPPLIERS_TOKEN, RATE_LIMIT: 'on' };
  // A package without a price needs no payment.
  const packages = [
    onSale({ price: 0, quota: 3 }),
    onSale({ id: 2, stay: '2022-08-10', price: 0, quota: 1 }),
    onSale({ id: 3, stay: '2022-08-11', price: 0, opensAt: Date.now() + hour }),
    onSale({ id: 4, stay: '2022-08-12', price: 0, closesAt: Date.now() - hour }),
    onSale({ id: 5, stay: '2022-08-13' }),
  ];
  [server, strained] = await Promise.all([
    startServer({
      settings: { ...settings, FLIGHT_FAILURE_RATE: '0', PAYMENTS: 'simulated', PAYMENTS_WEBHOOK_SECRET },
      packages,
    }),
    startServer({
      settings: {
        ...{ ...settings, FLIGHT_FAILURE_RATE: '1', SUPPLIER_LATENCY_MS: '1000' },
        ...{ RATE_LIMIT_LOOKUPS: '2/60s', RATE_LIMIT_PURCHASES: '3/60s' },
      },
      packages: [onSale({ quota: 5 })],
    }),
  ]);
  description = asServed(await (await fetch(`${server.origin}/openapi.json`)).json());
});
afterAll(async () => {
  await Promise.all([server?.stop(), strained?.stop()]);
});

interface Asked {
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly of?: TestServer;
}

/** Sends a request, checks the answer against the description, and returns its body. */
// biome-ignore lint/suspicious/noExplicitAny: the shape of the answer was just checked.
async function ask(wanted: string, { body, headers = {}, of = server }: Asked = {}): Promise<any> {
  const [method, path, status] = wanted.split(' ') as [string, string, string];
  const answer = await fetch(of.origin + path, {
    method,
    headers: { ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  await expectTold(method, path, answer);
  expect(answer.status, await answer.clone().text()).toBe(Number(status));
  const isTrusted = headers.Authorization !== undefined;
  if (operationAt(method, path)?.isLimited && !isTrusted) {
    expect(answer.headers.get('RateLimit')).toMatch(/^"[\w-]+";r=\d+;t=\d+$/);
    expect(answer.headers.get('RateLimit-Policy')).toMatch(/^"[\w-]+";q=\d+;w=\d+/);
  }
  const said = await answer.text();
  return said.startsWith('{') ? JSON.parse(said) : said;
}

async function expectTold(method: string, path: string, answer: Response): Promise<void> {
  const operation = operationAt(method, path);
  if (operation === undefined) throw new Error(`${method} ${path} is not described`);
  await expectMatchesOpenApi(operation, answer, description);
  const statuses = seen.get(operation.operationId) ?? new Set();
  seen.set(operation.operationId, statuses.add(answer.status));
}

it('answers reads of packages and health as the OpenAPI description says', async () => {
  await ask('GET /api/packages 200');
  await ask('GET /api/packages/3 200');
  await ask('GET /api/packages/99 404');
  await ask('GET /api/packages/x 404');
});

it('answers purchases, look-ups and cancels as the OpenAPI description says', async () => {
  const body = { packageId: 1, email };
  const headers = { 'Idempotency-Key': '"a-key"' };
  const { id } = await ask('POST /api/orders 201', { body, headers });
  expect((await ask('POST /api/orders 201', { body, headers })).id).toBe(id);
  const reused = await ask('POST /api/orders 422', {
    body: { packageId: 1, email: 'eve@example.com' },
    headers,
  });
  expect(reused.code).toBe('key_reused');
  await ask(`GET /api/orders/${id}?email=${email} 200`);
  await ask(`GET /api/orders/${id}?email=eve@example.com 404`);
  await ask(`GET /api/orders/nonsense?email=${email} 404`);
  await ask(`GET /api/orders/${id} 422`);
  await ask(`POST /api/orders/${id}/cancel 404`, { body: { email: 'eve@example.com' } });
  await ask(`POST /api/orders/${id}/cancel 200`, { body: { email } });
  await ask(`POST /api/orders/${id}/cancel 200`, { body: { email } });
  await ask('POST /api/orders 200', { body, headers });
  await ask('POST /api/orders 202', { body, headers: { Prefer: 'respond-async' } });
  // The second address knows the same keys.
  expect((await ask('POST /api/packages/1/orders 200', { body: { email }, headers })).id).toBe(id);
  await ask('POST /api/packages/1/orders 202', { body: { email }, headers: { Prefer: 'respond-async' } });
});

it('refuses invalid purchases as the OpenAPI description says', async () => {
  const code = async (status: number, packageId: unknown) =>
    (await ask(`POST /api/orders ${status}`, { body: { packageId, email } })).code;
  expect(await code(404, 99)).toBe('unknown_package');
  expect(await code(409, 3)).toBe('not_open');
  expect(await code(409, 4)).toBe('sale_closed');
  await ask('POST /api/orders 201', { body: { packageId: 2, email } });
  expect(await code(409, 2)).toBe('sold_out');
  expect(await code(422, 'one')).toBe('invalid');
  await ask('POST /api/orders 422', { body: '{"packageId":' });
  await ask('POST /api/orders 415', { body: 'packageId=1', headers: { 'Content-Type': 'text/plain' } });
  await ask('POST /api/orders 413', { body: { packageId: 1, email, more: 'x'.repeat(20_000) } });
  await ask('POST /api/packages/1/orders 201', { body: { email } });
  await ask('POST /api/packages/2/orders 409', { body: { email } });
  await ask('POST /api/packages/99/orders 404', { body: { email } });
  await ask('POST /api/packages/x/orders 404', { body: { email } });
  await ask('POST /api/packages/1/orders 422', { body: {} });
});

it('answers events of the payment provider as the OpenAPI description says', async () => {
  const { id } = await ask('POST /api/orders 202', { body: { packageId: 5, email } });
  const payment = { key: id, status: 'paid', amount: 10_000, currency: 'USD' } as const;
  const sources = { clock: systemClock, random: systemRandom() };
  const event = signedEvent({ ...payment, number: '', returnUrl: '' }, PAYMENTS_WEBHOOK_SECRET, sources);
  const { 'content-type': _, ...headers } = event.headers;
  const { body } = event;
  await ask('POST /api/payments/events 204', { headers, body });
  await ask('POST /api/payments/events 204', { headers, body });
  const { code } = await ask('POST /api/payments/events 403', { headers, body: `${body} ` });
  expect(code).toBe('invalid_signature');
  await ask('POST /api/payments/events 415', { headers: { ...headers, 'Content-Type': 'text/plain' }, body });
});

it('answers requests for reservations as the OpenAPI description says', async () => {
  const flight = { packageId: 1, flight: 'Flight-1', email };
  const hotel = { packageId: 1, stay: '2022-08-09', email };
  const { ticketNumber } = await ask(`POST ${flights} 201`, { body: flight });
  await ask(`POST ${hotels} 201`, { body: { ...hotel, flightTicketNumber: ticketNumber } });
  await ask(`POST ${hotels} 422`, { body: { ...hotel, flightTicketNumber: 'F-none' } });
  for (const reservations of [flights, hotels]) {
    await ask(`GET ${reservations} 401`);
    const { reservations: items } = await ask(`GET ${reservations} 200`, { headers: peer });
    expect(items.length).toBeGreaterThan(0);
    await ask(`DELETE ${reservations}/a-key-of-its-own 204`, { headers: peer });
    await ask(`DELETE ${reservations}/a-key-of-its-own 401`);
  }
  const keyed = { ...peer, 'Idempotency-Key': 'a-key-of-its-own' };
  const { code } = await ask(`POST ${flights} 409`, { body: flight, headers: keyed });
  expect(code).toBe('cancelled');
  await ask(`POST ${flights} 422`, { body: flight, headers: peer });
});

it('answers operators as the OpenAPI description says', async () => {
  const headers = operator;
  const created = await ask('POST /api/admin/packages 201', {
    ...{ headers, body: { flight: 'Flight-9', stay: '2030-01-01', price: 0, quota: 2 } },
  });
  const one = `/api/admin/packages/${created.id}`;
  await ask('POST /api/admin/packages 409', {
    ...{ headers, body: { id: created.id, flight: 'Flight-9', stay: '2030-01-01', price: 0, quota: 2 } },
  });
  await ask('POST /api/admin/packages 422', { headers, body: { flight: '' } });
  const { order } = await ask('POST /api/orders 201', { body: { packageId: created.id, email } }).then(
    (bought) => ({ order: `/api/admin/orders/${bought.id}` }),
  );
  const { version } = await ask(`GET ${one} 200`, { headers }).then((status) => status.package ?? status);
  await ask(`PATCH ${one} 422`, { headers, body: { version, quota: 0 } });
  await ask(`PATCH ${one} 200`, { headers, body: { version, quota: 3, opensAt: '2020-01-01T00:00:00Z' } });
  await ask(`PATCH ${one} 409`, { headers, body: { version, quota: 4 } });
  await ask(`POST ${one}/pause 200`, { headers });
  await ask('POST /api/orders 503', { body: { packageId: created.id, email } });
  await ask(`POST ${one}/resume 200`, { headers });
  await ask('GET /api/admin/packages 200', { headers });
  await ask('GET /api/admin/packages 401');
  await ask(`POST ${one}/archive 409`, { headers });
  await ask(`POST ${one}/pause 200`, { headers });
  await ask(`POST ${one}/archive 200`, { headers });
  await ask('GET /api/admin/packages?archived=true 200', { headers });
  const unsold = await ask('POST /api/admin/packages 201', {
    ...{ headers, body: { flight: 'Flight-9', stay: '2030-01-02', price: 0, quota: 2, listed: false } },
  });
  await ask(`DELETE ${one} 409`, { headers });
  await ask(`DELETE /api/admin/packages/${unsold.id} 204`, { headers });
  await ask(`DELETE /api/admin/packages/${unsold.id} 404`, { headers });
  await ask('GET /api/admin/packages/99 404', { headers });
  await ask('GET /api/admin/instances 200', { headers });
  await ask('POST /api/admin/instances/nobody/drain 404', { headers });
  await ask('POST /api/admin/instances/nobody/dismiss 404', { headers });
  await ask('GET /api/admin/orders?limit=2 200', { headers });
  await ask('GET /api/admin/orders?limit=0 422', { headers });
  await ask(`GET ${order} 200`, { headers });
  await ask('GET /api/admin/orders/7Q4M-9XKD-2VBN-H5TR 404', { headers });
  await ask(`POST ${order}/retry 409`, { headers });
  await ask(`POST ${order}/cancel 200`, { headers });
  const mine = await ask('POST /api/admin/orders/search 200', {
    headers,
    body: { email: ' ANA@example.com', limit: 1 },
  });
  expect(mine.orders).toMatchObject([{ packageId: created.id, email }]);
  await ask('POST /api/admin/orders/search 200', { headers, body: { email, cursor: mine.next } });
  await ask('POST /api/admin/orders/search 422', { headers, body: { email: 'x' } });
  await ask('POST /api/admin/erase 200', { headers, body: { email } });
  await ask('GET /api/admin/dead-letters 200', { headers });
  await ask('POST /api/admin/dead-letters/retry 200', {
    headers,
    body: { ids: [`${created.id}.confirmed.mail`] },
  });
  await ask('POST /api/admin/dead-letters/discard 200', { headers, body: { channel: 'webhook' } });
  for (const body of [{}, { channel: 'fax' }, { ids: [], channel: 'mail' }])
    await ask('POST /api/admin/dead-letters/discard 422', { headers, body });
  expect((await ask('GET /api/admin/audit 200', { headers })).ok).toBe(true);
  const exported = await ask(`GET /api/admin/orders.csv?package=${created.id} 200`, { headers });
  expect(exported).toMatch(/,cancell(ed|ing),/);
  await ask('GET /api/admin/orders.csv?from=now 422', { headers });
  expect(await ask('GET /api/admin/reconciliation.csv 200', { headers })).toMatch(/^result,ledger,/);
  expect((await ask('GET /api/admin/changes?limit=200 200', { headers })).changes.length).toBeGreaterThan(4);
});

it('answers monitoring and tools as the OpenAPI description says', async () => {
  await ask('GET /healthz 200');
  await ask('GET /readyz 200');
  await ask('GET /metrics 200');
  await ask('GET /openapi.json 200');
  await ask('GET /asyncapi.json 200');
});

it('answers overload and refusals of suppliers as the OpenAPI description says', async () => {
  const of = strained;
  const body = { packageId: 1, email };
  const headers = { Prefer: 'respond-async' };
  const { id } = await ask('POST /api/orders 202', { of, body, headers });
  await ask(`POST /api/admin/orders/${id}/retry 200`, { of, headers: operator });
  await ask(`POST /api/orders/${id}/cancel 409`, { of, body: { email } });
  expect((await ask('POST /api/orders 502', { of, body })).order.status).toBe('failed');
  await ask(`GET /api/orders/${id}?email=${email} 200`, { of });
  expect((await ask(`GET /api/orders/${id}?email=${email} 429`, { of })).code).toBe('rate_limited');
  await ask('POST /api/orders 422', { of, body: {} });
  await ask('POST /api/orders 429', { of, body });
  await ask('POST /api/admin/instances/nobody/drain 401', { of });
  const { instances } = await ask('GET /api/admin/instances 200', { of, headers: operator });
  await ask(`POST /api/admin/instances/${instances[0].id}/drain 202`, { of, headers: operator });
});

it.each([
  ['nonsense', 400, 'nonsense\r\n\r\n'],
  ['a host that cannot be', 400, 'GET /api/packages HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n'],
  ['headers without end', 431, `GET /api/packages HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`],
])('answers %s with %i', async (_what, status, bytes) => {
  const answer = await answerTo(Number(new URL(server.origin).port), bytes);
  expect(answer.status).toBe(status);
  await expectTold('GET', '/api/packages', answer);
});

it('answers a request that arrives too slowly with 408', async () => {
  const quick = createServer(fakeApp(), silentLog, undefined, {
    headersTimeout: 50,
    connectionsCheckingInterval: 10,
  });
  await once(quick.listen(0, '127.0.0.1'), 'listening');
  try {
    const { port } = quick.address() as AddressInfo;
    const answer = await answerTo(port, 'GET /api/packages HTTP/1.1\r\nHost: localhost\r\n');
    expect(answer.status).toBe(408);
    await expectTold('GET', '/api/packages', answer);
  } finally {
    quick.close();
  }
});

it.each(allOperations)('answers 405 to a method that $path does not have', async ({ method, path }) => {
  const address = server.origin + path.replace(/\{\w+\}/g, '1');
  const answer = await fetch(address, { method: 'PUT', headers: operator });
  expect(answer.status).toBe(405);
  const allowed = (answer.headers.get('Allow') ?? '').split(', ');
  expect(allowed).toContain(method.toUpperCase());
  await expectTold(method, path, answer);
});

it('has checked an answer of every described operation and status', () => {
  const unseen = allOperations.flatMap(({ operationId, answers }) =>
    Object.keys(answers)
      .filter((status) => !seen.get(operationId)?.has(Number(status)))
      .map((status) => `${operationId} ${status}`),
  );
  // These answers need a cluster or a slow cancel. Tests of the routes cover them.
  expect(unseen).toEqual(['cancelOrder 202', 'dismissInstance 200']);
});

/** Sends bytes and returns the server's answer, which is read until the server ends the connection. */
async function answerTo(port: number, bytes: string): Promise<Response> {
  const socket = connect(port, '127.0.0.1');
  socket.write(bytes);
  const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n', 2);
  const [statusLine = '', ...lines] = head.split('\r\n');
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  return new Response(body, { status: Number(statusLine.split(' ')[1]), headers });
}
