import { once } from 'node:events';
import { type IncomingHttpHeaders, request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type ClientOptions, WebSocket } from 'ws';
import { type Log, silentLog } from '../../src/observability/log.ts';
import { onSale, startServer, type TestServer } from '../support/server.ts';

let server: TestServer;
const sockets: WebSocket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.terminate();
  await server.stop();
});

async function start(settings: Record<string, string>, log: Log = silentLog): Promise<void> {
  const all = {
    RATE_LIMIT: 'on',
    FLIGHT_FAILURE_RATE: '0',
    SUPPLIERS_TOKEN: 'of-the-suppliers',
    ...settings,
  };
  server = await startServer({ settings: all, packages: [onSale({ quota: 1_000 })], log });
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

interface Asking {
  readonly method?: string;
  readonly headers?: Record<string, string | string[]>;
  readonly body?: string;
  /** The client's IP address. All of 127/8 is this machine. */
  readonly from?: string;
}

async function ask(path: string, { method = 'GET', headers = {}, body, from }: Asking = {}): Promise<Answer> {
  const { port } = new URL(server.origin);
  const options = {
    host: '127.0.0.1',
    port,
    path,
    method,
    headers,
    agent: false,
    ...(from ? { localAddress: from } : {}),
  };
  const asked = request(options).end(body);
  const [response] = (await once(asked, 'response')) as [
    NodeJS.ReadableStream & { statusCode: number; headers: IncomingHttpHeaders },
  ];
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

let buyers = 0;
function buy({ email, ...asking }: Asking & { email?: string } = {}): Promise<Answer> {
  buyers += 1;
  const body = JSON.stringify({ packageId: 1, email: email ?? `buyer-${buyers}@example.com` });
  const headers = { 'Content-Type': 'application/json', ...asking.headers };
  return ask('/api/orders', { ...asking, method: 'POST', headers, body });
}

const form = (fields: Record<string, string>): Asking => ({
  method: 'POST',
  headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
  body: new URLSearchParams(fields).toString(),
});

async function statuses(count: number, act: (index: number) => Promise<Answer>): Promise<number[]> {
  const seen: number[] = [];
  for (let index = 0; index < count; index++) seen.push((await act(index)).status);
  return seen;
}

const problem = (answer: Answer) => JSON.parse(answer.body) as { code: string; status: number };

describe('purchases of one client', () => {
  it('are refused above the limit; headers contain the remainder and the retry time', async () => {
    await start({ RATE_LIMIT_PURCHASES: '3/60s' });
    const answers = [];
    for (let bought = 0; bought < 5; bought++) answers.push(await buy());
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 429, 429]);
    expect(answers.map(({ headers }) => headers.ratelimit)).toEqual([
      expect.stringMatching(/^"purchase";r=2;t=\d\d$/),
      expect.stringMatching(/^"purchase";r=1;t=\d\d$/),
      expect.stringMatching(/^"purchase";r=0;t=\d\d$/),
      expect.stringMatching(/^"purchase";r=0;t=\d\d$/),
      expect.stringMatching(/^"purchase";r=0;t=\d\d$/),
    ]);
    for (const { headers } of answers) {
      expect(headers['ratelimit-policy']).toBe('"purchase";q=3;w=60, "email";q=100;w=10');
    }
    const [refused] = answers.slice(-1) as [Answer];
    expect(problem(refused)).toMatchObject({ code: 'rate_limited', status: 429 });
    expect(refused.headers['content-type']).toBe('application/problem+json');
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(50);
    // Another client can still buy, and this client can still read.
    expect((await buy({ from: '127.0.0.2' })).status).toBe(201);
    expect((await ask('/api/packages')).status).toBe(200);
    expect((await ask('/healthz')).status).toBe(200);
  });

  it('count the same from the API and both pages, and pages show the refusal', async () => {
    await start({ RATE_LIMIT_PURCHASES: '2/60s' });
    const fields = { packageId: '1', email: 'ana@example.com' };
    expect((await ask('/order', form(fields))).status).toBe(303);
    expect((await ask('/order-queue', form(fields))).status).toBe(303);
    expect((await buy()).status).toBe(429);
    for (const path of ['/order', '/order-queue']) {
      const refused = await ask(path, form(fields));
      expect(refused.status).toBe(429);
      expect(refused.headers['content-type']).toMatch(/^text\/html/);
      expect(refused.headers['content-security-policy']).toContain("default-src 'none'");
      expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
      expect(refused.body).toContain('Too many requests at once.');
      expect(refused.body).toMatch(/Reload this page in \d+ seconds\./);
    }
    // A refused client can still read the packages.
    expect((await ask('/order')).status).toBe(200);
  });

  it('are refused before the body is read', async () => {
    await start({ RATE_LIMIT_PURCHASES: '1/60s' });
    await buy();
    expect((await ask('/api/orders', { method: 'POST', body: 'no JSON' })).status).toBe(429);
  });
});

describe('purchases with one email', () => {
  it('are refused above the limit for all clients, without revealing the count', async () => {
    await start({ RATE_LIMIT_EMAIL: '2/60s' });
    const email = 'ana@example.com';
    const first = await buy({ email, from: '127.0.0.2' });
    expect(first.headers.ratelimit).not.toContain('email');
    expect((await buy({ email: ' ANA@example.com ', from: '127.0.0.3' })).status).toBe(201);
    const refused = await buy({ email });
    expect([refused.status, problem(refused).code]).toEqual([429, 'rate_limited']);
    expect(refused.headers.ratelimit).toMatch(/^"email";r=0;t=\d\d$/);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(50);
    expect((await buy()).status).toBe(201);
    const page = await ask('/order', form({ packageId: '1', email, key: 'my-key' }));
    expect(page.status).toBe(429);
    expect(page.headers['retry-after']).toBe(page.headers['retry-after']?.match(/^\d\d$/)?.[0]);
    // The form keeps its input, so that the buyer can send the form again later.
    expect(page.body).toContain('value="ana@example.com"');
    expect(page.body).toContain('value="my-key"');
    expect(page.body).toMatch(/You can order again in \d+ seconds\./);
  });
});

describe('look-ups', () => {
  const paths = (id: string, email: string): [string, Asking][] => [
    [`/api/orders/${id}?email=${email}`, {}],
    [
      `/api/orders/${id}/cancel`,
      { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ email }) },
    ],
    ['/query', form({ id, email })],
    ['/query', {}],
    [`/orders/${id}`, {}],
    [`/orders/${id}/fragment`, {}],
    [`/orders/${id}/cancel`, form({})],
  ];

  it('Q10 are counted and refused equally for existing and unknown orders', async () => {
    await start({ RATE_LIMIT_LOOKUPS: '7/60s' });
    const bought = JSON.parse((await buy({ email: 'ana@example.com' })).body) as { id: string };
    const seen: Record<string, unknown[]> = {};
    for (const [who, id, from] of [
      ['found', bought.id, '127.0.0.2'],
      ['missed', '0000-0000-0000-0000', '127.0.0.3'],
    ] as const) {
      const left: unknown[] = [];
      for (const [path, asking] of paths(id, 'ana@example.com')) {
        const { headers } = await ask(path, { ...asking, from });
        left.push(String(headers.ratelimit).replace(/t=\d+/, 't'));
      }
      for (const [path, asking] of paths(id, 'ana@example.com')) {
        const { status, headers, body } = await ask(path, { ...asking, from });
        expect(Number(headers['retry-after'])).toBeGreaterThan(0);
        left.push(
          status,
          String(headers.ratelimit).replace(/t=\d+/, 't'),
          body.replace(/data-now="\d+"/, '').replace(/\d+ seconds?/g, 'some seconds'),
        );
      }
      seen[who] = left;
    }
    expect(seen.found?.slice(0, 7)).toEqual([6, 5, 4, 3, 2, 1, 0].map((rest) => `"look-up";r=${rest};t`));
    expect(seen.found?.filter((item) => typeof item === 'number')).toEqual(Array(7).fill(429));
    expect(seen.missed).toEqual(seen.found);
    // The limit of look-ups does not apply to purchases.
    expect((await buy({ from: '127.0.0.2' })).status).toBe(201);
  });
});

describe('reads of packages', () => {
  const paths = ['/order', '/order-queue', '/order/fragments', '/api/packages', '/api/packages/1'];

  it('count together for pages and API, and are refused equally', async () => {
    await start({ RATE_LIMIT_READS: '5/60s' });
    const left = [];
    for (const path of paths) {
      const { status, headers } = await ask(path);
      expect([status, headers['ratelimit-policy']]).toEqual([200, '"read";q=5;w=60']);
      left.push(String(headers.ratelimit).replace(/t=\d+/, 't'));
    }
    expect(left).toEqual([4, 3, 2, 1, 0].map((rest) => `"read";r=${rest};t`));
    for (const path of paths) {
      const refused = await ask(path);
      expect(refused.status).toBe(429);
      expect(refused.headers.ratelimit).toMatch(/^"read";r=0;t=\d\d$/);
      expect(Number(refused.headers['retry-after'])).toBeGreaterThan(40);
      expect(refused.headers['content-type']).toMatch(
        path.startsWith('/api') ? 'application/problem+json' : 'text/html',
      );
    }
    // A client that may not read packages can still buy and look up its order.
    expect((await buy()).status).toBe(201);
    expect((await ask('/query')).status).toBe(200);
    expect((await ask('/order', { from: '127.0.0.2' })).status).toBe(200);
  });
});

describe('an untrusted proxy', () => {
  it.each([
    ['off', true],
    ['on', false],
  ])('is logged once when a client is refused (TRUST_PROXY=%s)', async (trust, isTold) => {
    const warned = vi.fn<Log['warn']>();
    await start({ RATE_LIMIT_PURCHASES: '1/60s', TRUST_PROXY: trust }, { ...silentLog, warn: warned });
    const headers = { 'X-Forwarded-For': '203.0.113.1' };
    expect(await statuses(2, () => buy({ headers }))).toEqual([201, 429]);
    await statuses(3, () => buy({ headers }));
    const told = warned.mock.calls.filter(([, words]) => words.includes('TRUST_PROXY'));
    expect(told).toHaveLength(isTold ? 1 : 0);
  });
});

describe('reservations at the simulated suppliers', () => {
  it('are limited for public callers, but not for servers with the token', async () => {
    await start({ RATE_LIMIT_PURCHASES: '2/60s' });
    const reserve = (key: number, authorization?: string) =>
      ask('/api/suppliers/flights/reservations', {
        method: 'POST',
        headers: {
          'Content-Type': 'application/json',
          'Idempotency-Key': `key-${key}`,
          ...(authorization === undefined ? {} : { authorization }),
        },
        body: JSON.stringify({ packageId: 1, flight: 'Flight-1', email: 'ana@example.com' }),
      });
    expect(await statuses(3, (key) => reserve(key))).toEqual([201, 201, 429]);
    expect(await statuses(5, (key) => reserve(key, 'Bearer of-the-suppliers'))).toEqual(Array(5).fill(201));
    expect((await buy()).status).toBe(201);
  });
});

describe('a forged X-Forwarded-For', () => {
  const forged = (index: number) => ({
    'X-Forwarded-For': `203.0.113.${index}`,
    'X-Real-IP': `203.0.113.${index}`,
    Forwarded: `for=203.0.113.${index}`,
  });

  it('has no effect without trusted proxies', async () => {
    await start({ RATE_LIMIT_PURCHASES: '2/60s' });
    expect(await statuses(4, (index) => buy({ headers: forged(index) }))).toEqual([201, 201, 429, 429]);
    expect((await buy({ from: '127.0.0.2', headers: forged(0) })).status).toBe(201);
  });

  it('has no effect in front of the IP address that a trusted proxy added', async () => {
    await start({ RATE_LIMIT_PURCHASES: '2/60s', TRUST_PROXY: 'on' });
    const through = (client: string, index: number) =>
      buy({ headers: { 'X-Forwarded-For': [`203.0.113.${index}, 10.0.0.${index}`, client] } });
    expect(await statuses(4, (index) => through('198.51.100.1', index))).toEqual([201, 201, 429, 429]);
    expect(await statuses(3, (index) => through('198.51.100.2', index))).toEqual([201, 201, 429]);
    // An IPv6 network counts as one client, however many addresses it has.
    expect(await statuses(3, (index) => through(`2001:db8:1:2::${index}`, index))).toEqual([201, 201, 429]);
    expect(await statuses(3, (index) => through(`::ffff:198.51.100.3`, index))).toEqual([201, 201, 429]);
    expect((await through('198.51.100.3', 9)).status).toBe(429);
  });

  it('has no effect from an untrusted proxy', async () => {
    await start({ RATE_LIMIT_PURCHASES: '2/60s', TRUST_PROXY: '127.0.0.9/32' });
    expect(await statuses(3, (index) => buy({ headers: forged(index) }))).toEqual([201, 201, 429]);
    const proxied = (index: number) => buy({ from: '127.0.0.9', headers: forged(index) });
    expect(await statuses(3, proxied)).toEqual([201, 201, 201]);
  });

  it('has no effect for sockets', async () => {
    await start({ RATE_LIMIT_SOCKETS: '2/60s' });
    const seen = [];
    for (let index = 0; index < 4; index++) seen.push(await opened({ headers: forged(index) }));
    expect(seen).toEqual(['open', 'open', 429, 429]);
  });
});

/** Opens a WebSocket. Returns `open`, or the status of the refusal. */
async function opened(options: ClientOptions = {}, topic = 'packages'): Promise<'open' | number> {
  const socket = new WebSocket(`${server.origin.replace('http', 'ws')}/live?topic=${topic}`, options);
  sockets.push(socket);
  socket.on('error', () => {});
  return Promise.race([
    once(socket, 'open').then(() => 'open' as const),
    once(socket, 'unexpected-response').then(
      ([, response]) => (response as { statusCode: number }).statusCode,
    ),
  ]);
}

describe('sockets of one client', () => {
  it('are refused above the rate limit with the time of the next try', async () => {
    await start({ RATE_LIMIT_SOCKETS: '3/60s' });
    const seen = [
      await opened(),
      await opened({}, 'order:0000-0000-0000-0000'),
      await opened({}, 'nonsense'),
    ];
    expect(seen).toEqual(['open', 404, 404]);
    const raw = connect(Number(new URL(server.origin).port), '127.0.0.1');
    raw.write(
      `GET /live?topic=packages HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${'A'.repeat(22)}==\r\n\r\n`,
    );
    const answer = await text(raw);
    expect(answer).toMatch(/^HTTP\/1.1 429 Too Many Requests\r\n/);
    expect(answer).toMatch(/\r\nRetry-After: [56]\d\r\n/);
    expect(answer).toMatch(/\r\nRateLimit: "socket";r=0;t=[56]\d\r\n/);
    expect(answer).toContain('\r\nRateLimit-Policy: "socket";q=3;w=60\r\n');
    expect(answer).toContain('"code":"rate_limited"');
    expect(await opened({ localAddress: '127.0.0.2' })).toBe('open');
    // A client without a socket can still poll.
    expect((await ask('/order/fragments')).status).toBe(200);
  });

  it('are limited in number, and closing one allows another', async () => {
    await start({ SOCKETS_PER_CLIENT: '2' });
    expect([await opened(), await opened(), await opened(), await opened()]).toEqual([
      'open',
      'open',
      429,
      429,
    ]);
    expect(await opened({ localAddress: '127.0.0.2' })).toBe('open');
    sockets[0]?.terminate();
    await expect.poll(() => opened(), { timeout: 5_000, interval: 50 }).toBe('open');
    expect(await opened()).toBe(429);
  });
});

describe('connections of one client', () => {
  it('are limited in number, and closing one allows another', async () => {
    await start({ CONNECTIONS_PER_CLIENT: '3' });
    const port = Number(new URL(server.origin).port);
    const dial = (from: string) => {
      const socket = connect({ port, host: '127.0.0.1', localAddress: from });
      socket.on('error', () => {});
      socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
      return socket;
    };
    const word = (from: string) =>
      new Promise<string>((resolve) => {
        const socket = dial(from);
        socket.once('data', (data) => resolve(String(data).slice(9, 12)));
        socket.once('close', () => resolve('cut'));
      });
    expect([await word('127.0.0.1'), await word('127.0.0.1')]).toEqual(['200', '200']);
    const third = dial('127.0.0.1');
    await once(third, 'data');
    expect([await word('127.0.0.1'), await word('127.0.0.2')]).toEqual(['429', '200']);
    const refused = await text(dial('127.0.0.1'));
    expect(refused).toMatch(/^HTTP\/1.1 429 Too Many Requests\r\n[\s\S]*\r\nRetry-After: 10\r\n/);
    expect(refused).toContain('"code":"rate_limited"');
    third.destroy();
    await expect.poll(() => word('127.0.0.1'), { timeout: 5_000, interval: 50 }).toBe('200');
  });

  it('are unlimited for a trusted proxy', async () => {
    await start({ CONNECTIONS_PER_CLIENT: '1', TRUST_PROXY: '127.0.0.0/8' });
    const answers = await Promise.all(Array.from({ length: 10 }, () => ask('/healthz')));
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
  });
});

it('RATE_LIMIT=off sets no limit and sends no RateLimit headers', async () => {
  await start({
    RATE_LIMIT: 'off',
    RATE_LIMIT_PURCHASES: '1/60s',
    RATE_LIMIT_EMAIL: '1/60s',
    SOCKETS_PER_CLIENT: '1',
  });
  const answers = await Promise.all(Array.from({ length: 20 }, () => buy({ email: 'ana@example.com' })));
  for (const { status, headers } of answers) {
    expect([status, headers.ratelimit, headers['ratelimit-policy']]).toEqual([201, undefined, undefined]);
  }
  expect([await opened(), await opened()]).toEqual(['open', 'open']);
});
