import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { buy } from '../support/api-client.ts';
import { resetSocket } from '../support/reset-socket.ts';
import { onSale, startServer, type TestServer } from '../support/server.ts';

/**
 * Whatever a caller sends over a real socket, the caller gets a clear 4xx, the server goes on, and no quota changes.
 */

const soldOutId = 2;
let server: TestServer;
let inventory: unknown;
let boughtId: string;

beforeAll(async () => {
  server = await startServer({
    settings: { FLIGHT_FAILURE_RATE: '0', HOTEL_FAILURE_RATE: '0' },
    packages: [onSale({ quota: 3 }), onSale({ id: soldOutId, stay: '2022-08-10', quota: 1 })],
  });
  const bought = await buy(server.origin, soldOutId);
  expect(bought.status).toBe(201);
  boughtId = bought.order?.id as string;
  inventory = await readInventory();
});

afterAll(() => server?.stop());

afterEach(async () => {
  expect(await readInventory()).toEqual(inventory);
});

async function readInventory(): Promise<unknown> {
  return (await fetch(`${server.origin}/api/packages`)).json();
}

interface Answer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** Sends bytes as they are and reads until the server ends the connection. */
async function send(bytes: string | Buffer): Promise<Answer> {
  const socket = connect(Number(new URL(server.origin).port), '127.0.0.1');
  // The server may refuse and hang up before all bytes were sent.
  socket.on('error', () => undefined);
  socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  const [head = '', ...rest] = (await text(socket)).split('\r\n\r\n');
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]), head, body: rest.join('\r\n\r\n') };
}

const json = 'application/json';
const form = 'application/x-www-form-urlencoded';
const good = '{"packageId":1,"email":"ana@example.com"}';

interface Post {
  readonly type?: string;
  readonly headers?: readonly string[];
}

/** A POST request after whose answer the connection ends. */
function post(path: string, body: string | Buffer, { type = json, headers = [] }: Post = {}): Buffer {
  const bytes = Buffer.from(body);
  const head = [
    `POST ${path} HTTP/1.1`,
    'Host: localhost',
    'Connection: close',
    `Content-Type: ${type}`,
    `Content-Length: ${bytes.length}`,
    ...headers,
  ];
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), bytes]);
}

function chunkedPost(path: string, chunks: string): string {
  const head = `POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: ${json}\r\n`;
  return `${head}Transfer-Encoding: chunked\r\n\r\n${chunks}`;
}

function get(target: string, ...headers: readonly string[]): string {
  return [`GET ${target} HTTP/1.1`, 'Host: x', 'Connection: close', ...headers, '', ''].join('\r\n');
}

const orders = '/api/orders';
const hotels = '/api/suppliers/hotels/reservations';
const tooLong = JSON.stringify({ packageId: 1, email: 'ana@example.com', more: 'x'.repeat(20_000) });
const deep = (depth: number) => `{"packageId":1,"x":${'['.repeat(depth)}${']'.repeat(depth)}}`;

type Case = [what: string, bytes: string | Buffer, status: number, code?: string];

const bodies: Case[] = [
  ['an unknown package', post(orders, '{"packageId":99,"email":"a@b.cd"}'), 404, 'unknown_package'],
  ['a package whose quota is exhausted', post(orders, good.replace('1', '2')), 409, 'sold_out'],
  ['no body', post(orders, ''), 422, 'invalid'],
  ['malformed JSON', post(orders, '{"packageId":1,'), 422, 'invalid'],
  ['bytes that are not UTF-8', post(orders, Buffer.from('7b22ff227d', 'hex')), 422, 'invalid'],
  ['an oversized body', post(orders, tooLong), 413, 'body_too_large'],
  [
    'an oversized body of a huge declared length',
    post(orders, '', { headers: [] }).toString().replace('Length: 0', 'Length: 99999999999'),
    413,
    'body_too_large',
  ],
  [
    'an oversized chunked body',
    chunkedPost(orders, `${tooLong.length.toString(16)}\r\n${tooLong}\r\n0\r\n\r\n`),
    413,
    'body_too_large',
  ],
  ['a chunked body with an absurd size', chunkedPost(orders, 'zz\r\nx\r\n'), 400, 'bad_request'],
  ['a deeply nested body', post(orders, deep(5000)), 422, 'invalid'],
  [
    'a nested body that is chunked',
    chunkedPost(orders, `${deep(100).length.toString(16)}\r\n${deep(100)}\r\n0\r\n\r\n`),
    422,
    'invalid',
  ],
  ['a wrong content type', post(orders, good, { type: 'text/plain' }), 415, 'unsupported_media_type'],
  [
    'a form in place of JSON',
    post(orders, 'packageId=1&email=a%40b.cd', { type: form }),
    415,
    'unsupported_media_type',
  ],
  [
    'a compressed body',
    post(orders, good, { headers: ['Content-Encoding: gzip'] }),
    415,
    'unsupported_media_type',
  ],
  [
    'two content types',
    post(orders, good, { headers: ['Content-Type: text/plain'] }),
    415,
    'unsupported_media_type',
  ],
  ['two keys', post(orders, good, { headers: ['Idempotency-Key: a', 'Idempotency-Key: b'] }), 422, 'invalid'],
  [
    'a second encoding',
    post(orders, good, { headers: ['Content-Encoding: identity', 'Content-Encoding: gzip'] }),
    415,
    'unsupported_media_type',
  ],
  ['a body of two lengths', post(orders, good, { headers: ['Content-Length: 1'] }), 400, 'bad_request'],
  ['a bad email', post(orders, '{"packageId":1,"email":"ana"}'), 422, 'invalid'],
  [
    'an email with a line break',
    post(orders, '{"packageId":1,"email":"ana@example.com\\nBcc: x"}'),
    422,
    'invalid',
  ],
  ['duplicate keys', post(orders, '{"packageId":99,"packageId":1,"email":"a@b.cd"}'), 422, 'invalid'],
  ['__proto__', post(orders, '{"packageId":1,"email":"a@b.cd","__proto__":{"admin":true}}'), 422, 'invalid'],
  ['an array', post(orders, `[${good}]`), 422, 'invalid'],
  ['null', post(orders, 'null'), 422, 'invalid'],
  ['a package id that is text', post(orders, '{"packageId":"1","email":"a@b.cd"}'), 422, 'invalid'],
  ['a package id that is broken', post(orders, '{"packageId":1.5,"email":"a@b.cd"}'), 422, 'invalid'],
  ['a package id beyond all numbers', post(orders, '{"packageId":1e999,"email":"a@b.cd"}'), 422, 'invalid'],
  ['an email that is an object', post(orders, '{"packageId":1,"email":{"$ne":null}}'), 422, 'invalid'],
  [
    'a hotel without a ticket',
    post(hotels, '{"packageId":1,"stay":"2022-08-09","email":"a@b.cd"}'),
    422,
    'invalid',
  ],
  [
    'a hotel with a ticket of nobody',
    post(hotels, '{"packageId":1,"stay":"2022-08-09","email":"a@b.cd","flightTicketNumber":"F-1"}'),
    422,
    'invalid_ticket',
  ],
];

const headers: Case[] = [
  ['headers beyond all measure', get('/api/packages', `X: ${'a'.repeat(100_000)}`), 431, 'headers_too_large'],
  [
    'thousands of headers',
    get('/api/packages', ...Array.from({ length: 5000 }, (_, n) => `X-${n}: 1`)),
    431,
    'headers_too_large',
  ],
  ['a header with a NUL', get('/api/packages', 'X: a\0b'), 400, 'bad_request'],
  ['a header without a name', get('/api/packages', ': x'), 400, 'bad_request'],
  ['no Host', 'GET /api/packages HTTP/1.1\r\nConnection: close\r\n\r\n', 400, 'bad_request'],
  [
    'an impossible Host',
    'GET /api/packages HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n',
    400,
    'bad_request',
  ],
  ['two lengths', post(orders, good, { headers: ['Content-Length: 1'] }), 400, 'bad_request'],
  [
    'a negative length',
    post(orders, good)
      .toString()
      .replace(/Length: \d+/, 'Length: -1'),
    400,
    'bad_request',
  ],
  [
    'a length and chunks',
    post(orders, good, { headers: ['Transfer-Encoding: chunked'] }),
    400,
    'bad_request',
  ],
  [
    'an unknown Transfer-Encoding',
    post(orders, good)
      .toString()
      .replace(/Content-Length: \d+/, 'Transfer-Encoding: rot13'),
    400,
  ],
  ['an unknown Expect', post(orders, good, { headers: ['Expect: miracles'] }), 400, 'bad_request'],
  ['an empty Idempotency-Key', post(orders, good, { headers: ['Idempotency-Key:'] }), 422, 'invalid'],
  [
    'an overlong Idempotency-Key',
    post(orders, good, { headers: [`Idempotency-Key: ${'k'.repeat(256)}`] }),
    422,
    'invalid',
  ],
  [
    'an Idempotency-Key that is not ASCII',
    post(orders, good, { headers: ['Idempotency-Key: k\xe9y'] }),
    422,
    'invalid',
  ],
  [
    'two Idempotency-Keys',
    post(orders, good, { headers: ['Idempotency-Key: a', 'Idempotency-Key: b'] }),
    422,
    'invalid',
  ],
  ['a __proto__ header', get('/api/nothing', '__proto__: x', 'constructor: y'), 404, 'unknown_route'],
  ['no HTTP', 'EHLO example.com\r\n\r\n', 400, 'bad_request'],
  ['a TLS handshake', Buffer.from('160301020001000001fc0303', 'hex'), 400, 'bad_request'],
];

const addresses: Case[] = [
  ['an unknown route', get('/api/nothing'), 404, 'unknown_route'],
  ['an address out of the tree', get('/assets/../../package.json'), 404, 'unknown_route'],
  ['the same, encoded', get('/assets/..%2f..%2fpackage.json'), 404, 'unknown_route'],
  ['broken percent signs', get('/api/packages/%'), 404, 'unknown_package'],
  ['an encoded NUL', get('/api/packages/1%00'), 404, 'unknown_package'],
  ['bytes that are not ASCII', get('/api/\xff\xfe'), 400, 'bad_request'],
  ['a backslash', get('/api\\packages'), 400, 'bad_request'],
  ['an address that is none', get('packages'), 400, 'bad_request'],
  ['a very long address', get(`/api/${'a'.repeat(10_000)}`), 404, 'unknown_route'],
  ['a method that fits nowhere', get('/api/orders').replace('GET', 'PROPFIND'), 405, 'method_not_allowed'],
  ['a method that is none', get('/api/orders').replace('GET', 'STEAL'), 400, 'bad_request'],
  ['an order id that is none', get('/api/orders/1?email=ana%40example.com'), 404, 'unknown_order'],
  ['an unknown order', get('/api/orders/0000-0000-0000-0000?email=ana%40example.com'), 404, 'unknown_order'],
  ['an order without an email', get('/api/orders/0000-0000-0000-0000'), 422, 'invalid'],
  ['a ledger without the token', get('/api/suppliers/flights/reservations'), 401, 'unauthorized'],
  [
    'a cancel at a supplier without the token',
    get('/api/suppliers/flights/reservations/x').replace('GET', 'DELETE'),
    401,
    'unauthorized',
  ],
];

const page = 'text/html';
const forms: Case[] = [
  [
    'of another site',
    post('/order', 'packageId=1&email=a%40b.cd', { type: form, headers: ['Origin: https://evil.example'] }),
    403,
    page,
  ],
  ['without fields', post('/order', '', { type: form }), 422, page],
  ['with a bad email', post('/order', 'packageId=1&email=ana', { type: form }), 422, page],
  ['with an unknown package', post('/order', 'packageId=99&email=a%40b.cd', { type: form }), 404, page],
  ['with a field twice', post('/order', 'packageId=1&packageId=2&email=a%40b.cd', { type: form }), 422, page],
  ['with broken percent signs', post('/order', 'packageId=1&email=%ff%', { type: form }), 422, page],
  ['as JSON', post('/order-queue', good), 415, page],
  ['too large', post('/order-queue', `email=${'x'.repeat(20_000)}`, { type: form }), 413, page],
  ['as broken multipart', post('/order', 'junk', { type: 'multipart/form-data; boundary=x' }), 422, page],
  ['looking up nonsense', post('/query', 'id=%00&email=%00', { type: form }), 404, page],
];

describe('a clear 4xx answers a request with', () => {
  it.each<Case>([...bodies, ...headers, ...addresses])('%s', async (_what, bytes, status, code) => {
    const answer = await send(bytes);
    expect(answer).toMatchObject({ status });
    if (code === undefined) return;
    expect(answer.head.toLowerCase()).toContain('content-type: application/problem+json');
    expect(JSON.parse(answer.body)).toMatchObject({ code, status, title: expect.any(String) });
  });
});

describe('a clear 4xx answers a form', () => {
  it.each<Case>(forms)('%s', async (_what, bytes, status, type) => {
    const answer = await send(bytes);
    expect(answer).toMatchObject({ status });
    expect(answer.head.toLowerCase()).toContain(`content-type: ${type}`);
  });
});

it('Q10 a look-up or cancel with a wrong email is answered like an unknown order', async () => {
  const eve = await send(get(`/api/orders/${boughtId}?email=eve%40example.com`));
  const nobody = await send(get('/api/orders/0000-0000-0000-0000?email=eve%40example.com'));
  expect(eve.status).toBe(404);
  expect(eve.body).toBe(nobody.body);
  const cancel = await send(post(`/api/orders/${boughtId}/cancel`, '{"email":"eve@example.com"}'));
  expect(cancel).toMatchObject({ status: 404, body: nobody.body });
});

it('a caller that disconnects during its body does not harm the server', async () => {
  for (const bytes of [post(orders, good).subarray(0, -5), chunkedPost(orders, 'ff\r\n{"packageId"')]) {
    const socket = connect(Number(new URL(server.origin).port), '127.0.0.1');
    socket.write(bytes);
    await once(socket, 'connect');
    resetSocket(socket);
    await once(socket, 'close');
  }
});

it('a valid purchase still works after all invalid requests', async () => {
  const { status } = await buy(server.origin, 1);
  expect(status).toBe(201);
  inventory = await readInventory();
  expect(inventory).toMatchObject({ packages: [{ remaining: 2, held: 0, confirmed: 1, waiting: 0 }, {}] });
});
