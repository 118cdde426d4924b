import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { noticeEvents } from '../../src/domain/notices.ts';
import { orderEvent } from '../../src/notifications/webhook/order-event.ts';
import { openSqliteStore } from '../../src/storage/sqlite/sqlite-store.ts';
import { buy, cancel } from '../support/api-client.ts';
import { startBuyers } from '../support/buyers.ts';
import { type MailServer, startMailServer } from '../support/mail-server.ts';
import { makeDatabase, onSale, startServer, type TestDatabase } from '../support/server.ts';
import { type ServerProcess, spawnServer } from '../support/server-process.ts';
import { mailSubjects, toldEventsOf } from '../support/told-events.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts';

/* Whole servers with a real mail server and a real receiver of webhooks. */

let mailServer: MailServer;
let receiver: WebhookReceiver;
let database: TestDatabase;

beforeEach(async () => {
  mailServer = await startMailServer();
  receiver = await startWebhookReceiver();
});
afterEach(async () => {
  await receiver.close();
  await mailServer.close();
  await database?.delete();
});

const settings = () => ({
  DATABASE_URL: database.url,
  SMTP_URL: mailServer.url,
  MAIL_FROM: 'Hotel <tickets@hotel.example>',
  PUBLIC_ORIGIN: 'https://tickets.example',
  WEBHOOK_URL: `${receiver.origin}/events`,
  WEBHOOK_SECRET: receiver.secret,
  WEBHOOK_PRIVATE_ADDRESSES: 'on',
});

/** Reads the store beside its server. */
async function reading<Result>(read: (store: ReturnType<typeof openSqliteStore>) => Promise<Result>) {
  const store = openSqliteStore({ file: database.url.replace('sqlite:', ''), readOnly: true });
  try {
    return await read(store);
  } finally {
    await store.close();
  }
}

async function nothingIsOwed(): Promise<void> {
  await vi.waitFor(
    async () => {
      const owing = await reading(({ outbox }) => outbox.packagesOwing(['mail', 'webhook']));
      expect(owing).toEqual([]);
    },
    { timeout: 60_000, interval: 200 },
  );
}

test('Q6 every outcome reaches its buyer and the receiver, also after two kills', {
  timeout: 180_000,
}, async () => {
  const quota = 150;
  database = await makeDatabase([onSale({ quota })]);
  const start = () => spawnServer({ ...settings(), FLIGHT_FAILURE_RATE: '0.3', LOG_LEVEL: 'debug' });
  let server: ServerProcess = await start();
  let output = '';
  const buyers = startBuyers({
    origins: () => [server.origin],
    packageOf: () => 1,
    concurrency: 10,
    purchases: 250,
    pauseMs: 20,
  });
  let kills = 0;
  for (const mails of [20, 60]) {
    await vi.waitFor(() => expect(mailServer.mails.length).toBeGreaterThan(mails), { timeout: 60_000 });
    await server.end('SIGKILL');
    output += server.output();
    kills += 1;
    server = await start();
  }
  await buyers.done;
  await vi.waitFor(
    async () => {
      const unfinished = await reading((store) => store.packagesWithUnfinished());
      expect(unfinished).toEqual([]);
    },
    { timeout: 60_000, interval: 200 },
  );
  await nothingIsOwed();
  await server.end('SIGTERM');
  output += server.output();

  const orders = await reading(async (store) => (await store.ordersPage(1, undefined, 1_000)).items);
  expect(orders.filter(({ status }) => status === 'confirmed')).toHaveLength(quota);
  const mailsOf = Map.groupBy(mailServer.mails, ({ to: [email = ''] }) => email);
  const bodies = receiver.requests.map((request) => orderEvent.parse(receiver.verified(request)));
  const eventsByOrder = Map.groupBy(bodies, ({ data }) => data.order.id);
  let owed = 0;
  for (const order of orders) {
    const events = toldEventsOf(order);
    owed += events.length;
    const mails = mailsOf.get(order.email) ?? [];
    const told = noticeEvents.filter((event) =>
      mails.some(({ header }) => header.includes(`Subject: ${mailSubjects[event]}`)),
    );
    expect(told, `mails about order ${order.number}`).toEqual(events);
    const received = new Set(eventsByOrder.get(order.id)?.map(({ type }) => type));
    expect([...received], `events of order ${order.number}`).toEqual(events.map((event) => `order.${event}`));
  }
  // A kill repeats at most one turn of the package on each channel, under the same ids.
  const ids = new Set(mailServer.mails.map(({ id }) => id));
  expect(ids.size).toBe(owed);
  expect(mailServer.mails.length - owed).toBeLessThanOrEqual(16 * kills);
  const eventIds = new Set(receiver.requests.map(({ headers }) => headers['webhook-id']));
  expect(eventIds.size).toBe(owed);
  expect(receiver.requests.length - owed).toBeLessThanOrEqual(16 * kills);
  // The log has neither emails nor links.
  expect(output.length).toBeGreaterThan(1_000);
  expect(output).not.toMatch(/buyer-|@example\.com|proof=/);
});

describe('a server', () => {
  test('tells of a booking and of its cancellation, in this order', async () => {
    database = await makeDatabase([onSale()]);
    const server = await startServer({ settings: { ...settings(), FLIGHT_FAILURE_RATE: '0' } });
    const email = 'ana@example.com';
    const { order } = await buy(server.origin, 1, { email });
    await cancel(server.origin, order?.id ?? '', email);
    await vi.waitFor(() => expect(mailServer.mails).toHaveLength(2), { timeout: 20_000 });
    await vi.waitFor(() => expect(receiver.requests).toHaveLength(2), { timeout: 20_000 });
    const [booked, cancelled] = mailServer.mails;
    expect(booked?.header).toContain(`Subject: ${mailSubjects.confirmed}`);
    expect(booked?.text).toContain('BEGIN:VCALENDAR');
    expect(cancelled?.header).toContain(`Subject: ${mailSubjects.cancelled}`);
    const link = /https:\/\/tickets\.example(\/orders\/\S+)/.exec(booked?.text ?? '')?.[1] ?? '';
    const page = await fetch(`${server.origin}${link}&cookie=set`);
    expect([page.status, (await page.text()).includes('This trip is cancelled')]).toEqual([200, true]);
    const events = receiver.requests.map((request) => orderEvent.parse(receiver.verified(request)));
    expect(events.map(({ type, data }) => [type, data.order.status])).toEqual([
      ['order.confirmed', 'confirmed'],
      ['order.cancelled', 'cancelled'],
    ]);
    await server.stop();
  });

  test('Q11 tells that an order has to be paid, and that its payment is refunded', async () => {
    database = await makeDatabase([onSale({ price: 120 })]);
    const server = await startServer({
      settings: { ...settings(), FLIGHT_FAILURE_RATE: '0', PAYMENTS: 'simulated', CURRENCY: 'EUR' },
    });
    const email = 'ana@example.com';
    const { order } = await buy(server.origin, 1, { email });
    await vi.waitFor(() => expect(mailServer.mails).toHaveLength(1), { timeout: 20_000 });
    const link = /https:\/\/tickets\.example(\/orders\/\S+)/.exec(mailServer.mails[0]?.text ?? '')?.[1] ?? '';
    const page = await (await fetch(`${server.origin}${link}&cookie=set`)).text();
    const paymentUrl = order?.paymentUrl ?? '';
    expect(mailServer.mails[0]?.text).toContain('Please pay €120.00 by ');
    expect(page).toContain(paymentUrl);
    const body = new URLSearchParams({ act: 'pay' });
    await fetch(server.origin + new URL(paymentUrl).pathname, { method: 'POST', body, redirect: 'manual' });
    await vi.waitFor(() => expect(mailServer.mails).toHaveLength(2), { timeout: 20_000 });
    await cancel(server.origin, order?.id ?? '', email);
    await vi.waitFor(() => expect(mailServer.mails).toHaveLength(4), { timeout: 20_000 });
    await vi.waitFor(() => expect(receiver.requests).toHaveLength(4), { timeout: 20_000 });
    const told = ['payable', 'confirmed', 'cancelled', 'refunded'] as const;
    expect(mailServer.mails.map(({ header }) => /^Subject: (.*)$/m.exec(header)?.[1])).toEqual(
      told.map((event) => mailSubjects[event]),
    );
    const events = receiver.requests.map((request) => orderEvent.parse(receiver.verified(request)));
    expect(events.map(({ type, data }) => [type, data.order.payBy])).toEqual(
      told.map((event) => [`order.${event}`, event === 'payable' ? order?.payBy : undefined]),
    );
    await server.stop();
  });

  test('lists what the mail server refuses in /admin, and delivers it after a retry', async () => {
    database = await makeDatabase([onSale()]);
    const token = 'a-token-of-twenty-characters';
    const server = await startServer({
      settings: { ...settings(), FLIGHT_FAILURE_RATE: '0', ADMIN_TOKEN: token },
    });
    mailServer.refuse('ana@example.com', 550);
    await buy(server.origin, 1, { email: 'ana@example.com' });
    const ask = async (path: string, body?: object) => {
      const answer = await fetch(`${server.origin}/api/admin/dead-letters${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return (await answer.json()) as { deadLetters?: { id: string; reason: string }[]; retried?: number };
    };
    const listed = await vi.waitFor(
      async () => {
        const { deadLetters = [] } = await ask('');
        expect(deadLetters).toHaveLength(1);
        return deadLetters;
      },
      { timeout: 20_000 },
    );
    expect(listed[0]?.reason).toBe('SMTP 550');
    mailServer.refuse('ana@example.com', 450);
    expect(await ask('/retry', { ids: listed.map(({ id }) => id) })).toEqual({
      ...{ retried: 1, outdated: 0, channelOff: 0 },
    });
    expect((await ask('')).deadLetters).toEqual([]);
    await server.stop();
  });
});

describe('Q12 a mail server that takes connections and says nothing', () => {
  let silent: Server;
  beforeEach(async () => {
    silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  });
  afterEach(() => new Promise<void>((resolve) => silent.close(() => resolve())));

  test('delays neither sales, nor webhooks, nor the end of the server', { timeout: 60_000 }, async () => {
    database = await makeDatabase([onSale({ quota: 40 })]);
    const { port } = silent.address() as AddressInfo;
    const server = await spawnServer({
      ...settings(),
      SMTP_URL: `smtp://127.0.0.1:${port}`,
      FLIGHT_FAILURE_RATE: '0',
    });
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, nth) => buy(server.origin, 1, { email: `b${nth}@example.com` })),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(40).fill(201));
    await vi.waitFor(() => expect(receiver.requests).toHaveLength(40), { timeout: 20_000 });
    const stoppedAt = performance.now();
    expect(await server.end('SIGTERM')).toBe(0);
    expect(performance.now() - stoppedAt).toBeLessThan(8_000);
    expect(await reading(({ outbox }) => outbox.packagesOwing(['mail', 'webhook']))).toEqual([1]);
  });
});
