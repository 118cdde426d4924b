import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { Hono } from 'hono';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { fakeEngine, fakeNow, fakeOrder, fakeSnapshot } from '../../test/support/fake-engine.ts';
import type { ErrorCode } from '../domain/errors.ts';
import type { OrderAnswer } from '../domain/messages.ts';
import type { BookingEngine } from '../engine/engine.ts';
import { systemClock } from '../lib/clock.ts';
import { silentLog } from '../observability/log.ts';
import { httpLimits } from '../rate-limits/limits.ts';
import { memoryRateLimits } from '../rate-limits/memory.ts';
import { StoreUnavailableError } from '../storage/store.ts';
import { orderRoutes } from './api/orders.ts';
import { onError } from './problem.ts';
import { bodyBytesMax } from './request.ts';
import { createServer } from './server/server.ts';

/* A purchase gets the same answer whether it is written to Node's response, or returned as a `Response`. */

const rate = (count: number) => ({ count, windowS: 60 });
const limitSettings = {
  purchases: rate(100),
  purchasesPerEmail: rate(2),
  lookUps: rate(100),
  reads: rate(100),
  sockets: rate(100),
  socketsPerClient: 0,
};

let engine: Partial<BookingEngine>;
let isOverloaded: boolean;
let clientLimit: number;

/** An app with limits of its own, over the engine of the test. */
function createApp(): Hono {
  const settings = { ...limitSettings, purchases: rate(clientLimit) };
  const routes = orderRoutes({
    engine: fakeEngine(engine),
    clock: { now: () => fakeNow, monotonic: () => 0, sleep: async () => {} },
    settings: { secret: 's'.repeat(32) },
    limits: httpLimits(memoryRateLimits({ clock: systemClock }), settings, 0),
    admission: { admits: () => !isOverloaded },
  });
  const app = new Hono().route('/api/orders', routes);
  return app.onError(onError(silentLog));
}

let app: Hono;
/** A server whose routes answer directly, and one whose routes return a `Response`. */
const servers: Server[] = [];
const origins: string[] = [];

beforeAll(async () => {
  await listen(async (request, env) => {
    const answer = await app.fetch(request, env);
    expect(answer).toBe(RESPONSE_ALREADY_SENT);
    return answer;
  });
  await listen((request, env) =>
    app.fetch(request, Object.defineProperty(env, 'directHeaders', { set() {} })),
  );
});

async function listen(fetch: (request: Request, env: object) => Response | Promise<Response>): Promise<void> {
  const server = createServer({ fetch: fetch as Hono['fetch'] }, silentLog).listen(0, '127.0.0.1');
  await once(server, 'listening');
  servers.push(server);
  origins.push(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

afterAll(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

beforeEach(() => {
  engine = {};
  isOverloaded = false;
  clientLimit = 100;
});

interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

async function read(answer: Response): Promise<Answered> {
  const body = await answer.text();
  expect(Number(answer.headers.get('content-length'))).toBe(Buffer.byteLength(body));
  const { date: _date, ...headers } = Object.fromEntries(answer.headers);
  // Requests without an id get a random one.
  if (headers['x-request-id']?.length === 36) headers['x-request-id'] = 'random';
  return { status: answer.status, headers, body };
}

type Body = string | Buffer | readonly string[];

/** Sends the request to both servers, as often as asked. Returns the last answer, which must be equal. */
async function both(body: Body, headers: Record<string, string> = {}, times = 1): Promise<Answered> {
  const answers = [];
  for (const origin of origins) {
    app = createApp();
    let answer: Answered | undefined;
    for (let time = 0; time < times; time++) {
      const sent = Array.isArray(body) ? ReadableStream.from(body.map((part) => Buffer.from(part))) : body;
      const init = {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...headers },
        body: sent,
      };
      answer = await read(await fetch(`${origin}/api/orders`, { ...init, duplex: 'half' } as RequestInit));
    }
    answers.push(answer);
  }
  const [direct, indirect] = answers as [Answered, Answered];
  expect(direct).toEqual(indirect);
  return direct;
}

const purchase = '{"packageId":1,"email":"ana@example.com"}';
const accepted = (status: 'confirmed' | 'queued' | 'failed' | 'rejected' | 'withdrawn') => {
  const order = fakeOrder({ status, package: { flight: 'Zürich – 東京', stay: '2022-08-09', price: 1 } });
  return { purchase: async () => ({ kind: 'accepted', order }) as OrderAnswer, outcome: async () => order };
};

it.each([
  ['confirmed', 201, {}],
  ['queued', 202, { Prefer: 'respond-async, wait=1' }],
  ['withdrawn', 200, {}],
  ['failed', 502, {}],
  ['rejected', 409, {}],
] as const)('answers a purchase that is %s with %i', async (status, http, headers) => {
  engine = accepted(status);
  expect((await both(purchase, headers)).status).toBe(http);
});

it.each<[ErrorCode, number]>([
  ['sold_out', 409],
  ['queue_full', 409],
  ['not_open', 409],
  ['unknown_package', 404],
  ['key_reused', 422],
  ['overloaded', 503],
  ['no_owner', 503],
  ['internal', 500],
])('refuses with %s', async (code, status) => {
  engine = {
    purchase: async () => ({ kind: 'refused', code }),
    package: async () => fakeSnapshot({ opensAt: fakeNow + 90_500 }),
  };
  expect((await both(purchase)).status).toBe(status);
  engine = { purchase: async () => ({ kind: 'refused', code, order: fakeOrder() }) };
  expect((await both(purchase, { 'Idempotency-Key': '"k"', 'X-Request-Id': 'request-1' })).body).toContain(
    '"order":{',
  );
});

it.each([
  ['an overload', 503, () => (isOverloaded = true)],
  ['a bug', 500, () => (engine = { purchase: () => Promise.reject(new Error('a bug')) })],
  [
    'a store that is away',
    503,
    () => (engine = { purchase: () => Promise.reject(new StoreUnavailableError('gone')) }),
  ],
])('answers %s with %i', async (_what, status, arrange) => {
  arrange();
  expect((await both(purchase)).status).toBe(status);
});

it('answers 429 with the limit of the client, and with the limit of the email', async () => {
  const ofEmail = await both(purchase, {}, 3);
  expect(ofEmail.status).toBe(429);
  expect(ofEmail.headers.ratelimit).toMatch(/^"email";r=0/);
  clientLimit = 1;
  const ofClient = await both(purchase, {}, 2);
  expect(ofClient.headers).toMatchObject({
    ratelimit: expect.stringMatching(/^"purchase";r=0/),
    'ratelimit-policy': '"purchase";q=1;w=60, "email";q=2;w=60',
    'retry-after': expect.any(String),
  });
});

it.each<[string, number, Body, Record<string, string>?]>([
  ['no body', 422, ''],
  ['malformed JSON', 422, '{"packageId":'],
  ['bytes that are not UTF-8', 422, Buffer.from('7b2261223a22ff227d', 'hex')],
  ['a member given twice', 422, '{"packageId":1,"packageId":2,"email":"a@b.cd"}'],
  ['invalid members', 422, '{"packageId":"x","email":"x"}'],
  ['an invalid key', 422, purchase, { 'Idempotency-Key': 'a b' }],
  ['another media type', 415, purchase, { 'Content-Type': 'text/plain' }],
  ['an encoded body', 415, purchase, { 'Content-Encoding': 'gzip' }],
  ['too much', 413, `"${'x'.repeat(bodyBytesMax)}"`],
  ['too much of unknown length', 413, ['x'.repeat(bodyBytesMax), 'x']],
  ['a body in two chunks', 202, [purchase.slice(0, 10), purchase.slice(10)]],
  ['the largest body', 202, purchase.padEnd(bodyBytesMax)],
  ['letters outside of ASCII', 202, purchase.replace('}', ',"note":"Zürich 東京"}')],
])('answers a request with %s with %i', async (_what, status, body, headers) => {
  expect((await both(body, headers)).status).toBe(status);
});
