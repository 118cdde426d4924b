import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { buy } from '../support/api-client.ts';
import { onSale, startServer, type TestServer } from '../support/server.ts';

/* A sale with 20,000 packages: every answer has a bounded size, because it contains one page. */

const token = 'open-sesame-open-sesame-open-sesame';
const count = 20_000;
const bytesMax = 200_000;

let server: TestServer;
let cookie: string;

/** Long enough for a busy machine. */
const inTime = { timeout: 20_000 };

beforeAll(async () => {
  const packages = Array.from({ length: count }, (_, index) =>
    onSale({ id: index + 1, flight: `Flight-${(index % 9_000) + 1}`, stay: '2030-01-01', quota: 20 }),
  );
  server = await startServer({ settings: { ADMIN_TOKEN: token, FLIGHT_FAILURE_RATE: '0' }, packages });
  const answer = await fetch(`${server.origin}/admin/log-in`, {
    ...{ method: 'POST', redirect: 'manual', headers: { origin: server.origin } },
    body: new URLSearchParams({ token }),
  });
  cookie = answer.headers.getSetCookie().join('; ');
});
afterAll(() => server?.stop());

const headers = () => ({ cookie, authorization: `Bearer ${token}` });

async function read(path: string): Promise<string> {
  const answer = await fetch(server.origin + path, { headers: headers() });
  expect([path, answer.status]).toEqual([path, 200]);
  return answer.text();
}

test.each([
  ...['/order', '/order-queue', '/order?page=150', '/order?flight=flight-1', '/order/fragments'],
  ...['/api/packages', '/api/packages?flight=flight-8', '/metrics'],
  ...['/admin', '/admin/fragments', '/admin/packages?flight=flight-8', '/admin/packages/archived'],
  ...['/admin/orders', '/admin/packages/new', '/api/admin/packages', '/api/admin/orders'],
])('%s has less than 200 kB', async (path) => {
  expect(Buffer.byteLength(await read(path))).toBeLessThan(bytesMax);
});

test.each(['/api/packages', '/api/admin/packages'])(
  '%s lists every package once, page by page',
  async (path) => {
    const ids: number[] = [];
    let cursor: string | undefined;
    do {
      const text = await read(cursor === undefined ? path : `${path}?cursor=${cursor}`);
      const page = JSON.parse(text) as { packages: { id: number }[]; next?: string };
      ids.push(...page.packages.map(({ id }) => id));
      cursor = page.next;
    } while (cursor !== undefined);
    expect(ids).toEqual(Array.from({ length: count }, (_, index) => index + 1));
  },
);

test('a page is sent its own packages over the socket, and no change of another one', async () => {
  const html = await read('/order?page=150');
  const [, topic = ''] = /hx-ws:connect="([^"]*)"/.exec(html) ?? [];
  const socket = new WebSocket(server.origin.replace('http', 'ws') + topic, {
    headers: { origin: server.origin },
  });
  const messages: string[] = [];
  socket.on('message', (data) => messages.push(String(data)));
  await once(socket, 'open');
  await expect.poll(() => messages.join(), inTime).toContain('id="stay-15000"');
  expect(Buffer.byteLength(messages.join())).toBeLessThan(bytesMax);
  messages.length = 0;
  await buy(server.origin, 1, { email: 'ana@example.com' });
  await buy(server.origin, 14_950, { email: 'ana@example.com' });
  await expect.poll(() => messages.join(), inTime).toContain('id="stay-14950"');
  expect(messages.join()).not.toContain('id="stay-1"');
  expect(messages.join()).not.toContain('id="stay-14951"');
  socket.close();
});

test('an operator sees the sums of all packages, and the next free number', async () => {
  expect(await read('/admin')).toContain(`of ${(20 * count).toLocaleString('en')}`);
  expect(await read('/admin/packages/new')).toContain(`value="${count + 1}"`);
  expect(await read('/metrics')).toMatch(/ticket_booking_units\{state="remaining"\} 39999\d/);
});
