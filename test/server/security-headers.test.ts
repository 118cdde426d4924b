import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLog } from '../../src/observability/pino-log.ts';
import { buy, lookUp } from '../support/api-client.ts';
import { fakeApp } from '../support/fake-app.ts';
import { onSale, startServer, type TestServer } from '../support/server.ts';

/* Every answer has security headers, and no URL and no log line contains an email. */

const adminToken = 'a-token-of-some-length-0123456789';
const email = 'ana.secret@example.com';
const lines: string[] = [];
const destination = { write: (line: string) => void lines.push(line) };
const log = createLog({ level: 'trace', instanceId: 'one', destination });
let server: TestServer;
let orderId: string;

beforeAll(async () => {
  server = await startServer({
    settings: { FLIGHT_FAILURE_RATE: '0', PUBLIC_ORIGIN: 'https://tickets.example', ADMIN_TOKEN: adminToken },
    packages: [onSale({ quota: 3 })],
    log,
  });
  const { order } = await buy(server.origin, 1, { email });
  orderId = order?.id as string;
});
afterAll(() => server?.stop());

function get(path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(server.origin + path, { redirect: 'manual', ...init });
}

const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
const pages = [
  '/',
  '/order',
  '/order-queue',
  '/order/fragments',
  '/query',
  '/orders/none',
  '/orders/none/calendar.ics',
  '/nothing',
  '/docs',
  '/admin',
  '/admin/nothing',
];
const assets = ['/assets/app.css', '/assets/page.en.js', '/assets/htmx.min.js', '/assets/favicon.svg'];
const answers = [
  '/api/packages',
  '/api/orders/x',
  '/api/nothing',
  '/healthz',
  '/readyz',
  '/openapi.json',
  '/asyncapi.json',
  '/live',
  '/metrics',
  '/api/admin/packages',
];

describe('every answer', () => {
  it.each([...pages, ...assets, ...answers])('%s has content type and HSTS headers', async (path) => {
    const { headers } = await get(path, { headers: { Accept: 'text/html' } });
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('strict-transport-security')).toBe('max-age=31536000; includeSubDomains');
    const policy = (headers.get('content-security-policy') ?? '').split('; ');
    expect(policy).toEqual(expect.arrayContaining(["default-src 'none'", "frame-ancestors 'none'"]));
    expect(headers.get('x-powered-by')).toBeNull();
  });

  it.each([...pages, ...assets])('%s may not be embedded by other origins', async (path) => {
    const { headers } = await get(path, { headers: { Accept: 'text/html' } });
    expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
  });

  it('that the HTTP server makes by itself has the same headers', async () => {
    const upgrade = 'Upgrade: websocket\r\nConnection: Upgrade';
    for (const bytes of [
      'nonsense\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n',
      `GET /live?topic=packages HTTP/1.1\r\nHost: x\r\n${upgrade}\r\nOrigin: https://evil.example\r\n\r\n`,
    ]) {
      const socket = connect(Number(new URL(server.origin).port), '127.0.0.1');
      socket.write(bytes);
      const answer = (await text(socket)).toLowerCase();
      expect(answer).toMatch(/^http\/1.1 4/);
      expect(answer).toContain('x-content-type-options: nosniff');
      expect(answer).toContain("content-security-policy: default-src 'none'; frame-ancestors 'none'");
      expect(answer).toContain('cache-control: no-store');
    }
  });
});

describe('pages', () => {
  it.each(pages)('%s runs and loads only our own files', async (path) => {
    const { headers } = await get(path, { headers: { Accept: 'text/html' } });
    const policy = (headers.get('content-security-policy') ?? '').split('; ');
    expect(policy).toEqual(
      expect.arrayContaining([
        "default-src 'none'",
        "script-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
      ]),
    );
    expect(policy).toContain("frame-ancestors 'none'");
    // Swagger UI may write styles, but no scripts.
    const unsafe = policy.filter((rule) => rule.includes('unsafe'));
    expect(unsafe).toEqual(path === '/docs' ? ["style-src 'self' 'unsafe-inline'"] : []);
    expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
    expect(headers.get('referrer-policy')).toBe('same-origin');
    expect(headers.get('x-frame-options')).toBe('DENY');
  });

  it.each([
    ['PUT', '/order', 'GET, POST, HEAD, OPTIONS'],
    ['DELETE', '/order-queue', 'GET, POST, HEAD, OPTIONS'],
    ['PATCH', '/query', 'GET, POST, HEAD, OPTIONS'],
    ['POST', '/', 'GET, HEAD, OPTIONS'],
    ['POST', '/order/fragments', 'GET, HEAD, OPTIONS'],
    ['GET', '/order/sent', 'POST, OPTIONS'],
    ['DELETE', '/orders/7Q4M-9XKD-2VBN-H5TR', 'GET, HEAD, OPTIONS'],
    ['PUT', '/orders/7Q4M-9XKD-2VBN-H5TR/fragment', 'GET, HEAD, OPTIONS'],
    ['POST', '/orders/7Q4M-9XKD-2VBN-H5TR/calendar.ics', 'GET, HEAD, OPTIONS'],
    ['GET', '/orders/7Q4M-9XKD-2VBN-H5TR/cancel', 'POST, OPTIONS'],
    ['PUT', '/assets/app.css', 'GET, HEAD, OPTIONS'],
    ['POST', '/docs', 'GET, HEAD, OPTIONS'],
    ['DELETE', '/api/packages', 'GET, HEAD, OPTIONS'],
    ['DELETE', '/live', 'GET, HEAD, OPTIONS'],
  ])('%s %s is answered 405 with the allowed methods', async (method, path, allow) => {
    const refused = await get(path, { method });
    expect(refused.status).toBe(405);
    expect(refused.headers.get('allow')).toBe(allow);
    const asked = await get(path, { method: 'OPTIONS' });
    expect(asked.status).toBe(204);
    expect(asked.headers.get('allow')).toBe(allow);
  });
});

describe('an email', () => {
  it('is in no URL of a page', async () => {
    const cookies: string[] = [];
    const addresses: string[] = [];
    const visit = async (path: string, body?: Record<string, string>): Promise<Response> => {
      addresses.push(path);
      const answer = await get(path, {
        headers: { ...(body === undefined ? {} : form), Cookie: cookies.join('; ') },
        ...(body === undefined ? {} : { method: 'POST', body: new URLSearchParams(body).toString() }),
      });
      cookies.push(...answer.headers.getSetCookie().map((cookie) => cookie.split(';')[0] as string));
      const location = answer.headers.get('location');
      return location === null ? answer : visit(location);
    };
    const shown = [
      await visit('/order', { packageId: '1', email }),
      await visit('/order-queue', { packageId: '1', email, key: 'a-key' }),
      await visit('/query', { id: orderId, email }),
      await visit('/query', { id: 'nonsense', email }),
      await visit('/order', { packageId: '99', email }),
    ];
    for (const answer of shown) {
      const html = await answer.text();
      addresses.push(...[...html.matchAll(/(?:href|src|action|data-[\w-]+|connect)="([^"]*)"/g)].map(String));
      expect(html).not.toMatch(/<form[^>]*method="get"/i);
    }
    expect(addresses.length).toBeGreaterThan(20);
    expect(addresses.filter((address) => /ana\.secret|%40example/.test(address))).toEqual([]);
  });

  it('is in no log line, also after failures', async () => {
    await lookUp(server.origin, orderId, email);
    await buy(server.origin, 99, { email });
    await get(`/api/orders/${orderId}?email=${encodeURIComponent(email)}%00`);
    const fail = () => Promise.reject(new Error('a bug'));
    const app = fakeApp({ engine: { purchase: fail, order: fail }, log });
    const logged = lines.length;
    await app.request(`/api/orders/${orderId}?email=${encodeURIComponent(email)}`);
    const body = new URLSearchParams({ packageId: '1', id: orderId, email }).toString();
    for (const path of ['/order', '/order-queue', '/query']) {
      expect((await app.request(path, { method: 'POST', headers: form, body })).status).toBe(500);
    }
    expect(lines.length).toBe(logged + 4);
    expect(lines.filter((line) => /ana\.secret/.test(line))).toEqual([]);
  });
});
