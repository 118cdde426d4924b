import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { buy } from '../support/api-client.ts';
import { type BreakableNetwork, breakableNetwork } from '../support/breakable-network.ts';
import { makeDatabase, startServer, type TestDatabase, type TestServer } from '../support/server.ts';
import { type Chromium, launchChromium } from '../support/servers/chromium.ts';

/** Suppliers whose flights wait for an answer of the test. Hotels always have a room. */
interface ManualSupplier {
  readonly url: string;
  /** Flight requests that wait for an answer, oldest first. */
  readonly waiting: { key: string; answer(isReserved: boolean): void }[];
  close(): Promise<void>;
}

async function startManualSupplier(): Promise<ManualSupplier> {
  const waiting: ManualSupplier['waiting'] = [];
  const reply = (response: ServerResponse, status: number, body: object) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  const server = createServer(async (request, response) => {
    const key = String(request.headers['idempotency-key']);
    if (request.method === 'DELETE') return void response.writeHead(204).end();
    await json(request);
    if (request.url?.startsWith('/hotels')) return reply(response, 201, { reservationNumber: `H-${key}` });
    return waiting.push({
      key,
      answer: (isReserved) =>
        isReserved
          ? reply(response, 201, { ticketNumber: `F-${key}` })
          : reply(response, 409, { code: 'flight_unavailable', status: 409 }),
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    waiting,
    async close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

let chromium: Chromium;
let supplier: ManualSupplier;
let server: TestServer;
let database: TestDatabase;
let settings: Record<string, string>;
let network: BreakableNetwork;
const contexts: BrowserContext[] = [];

beforeAll(async () => {
  chromium = await launchChromium();
});
afterAll(() => chromium?.close());

beforeEach(async () => {
  supplier = await startManualSupplier();
  database = await makeDatabase();
  settings = { DATABASE_URL: database.url, SUPPLIERS_URL: supplier.url, SUPPLIER_TIMEOUT_MS: '60000' };
  server = await startServer({ settings });
  network = await breakableNetwork(server.origin);
});
afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close();
  await network?.close();
  await supplier?.close();
  await server?.stop();
  await database?.delete();
});

/** Opens a page in its own browser context and marks it, so that a reload would show. */
async function visit(path: string, origin = network.origin): Promise<Page> {
  const context = await chromium.newContext();
  contexts.push(context);
  const page = await context.newPage();
  await page.goto(origin + path);
  await mark(page);
  return page;
}

/** Sets a mark in the page that a reload would remove. */
async function mark(page: Page): Promise<void> {
  await page.evaluate("document.documentElement.dataset.neverReloaded = 'yes'");
}

async function wasNeverReloaded(page: Page): Promise<boolean> {
  return page.evaluate("document.documentElement.dataset.neverReloaded === 'yes'");
}

/** Waits until the page shows the text without a reload. */
async function says(page: Page, selector: string, text: string | RegExp, timeout = 10_000): Promise<void> {
  await until(async () => expect(await page.textContent(selector)).toMatch(text), timeout);
}

async function until(holds: () => unknown, timeout = 10_000): Promise<void> {
  await vi.waitFor(holds, { timeout, interval: 50 });
}

/** The title changes after the page. */
const titled = (page: Page, title: string) => until(async () => expect(await page.title()).toMatch(title));

const isLive = (page: Page) => says(page, '#live-chip .live-label', 'Live');
const free = (page: Page, text: RegExp, timeout?: number) =>
  says(page, '#stay-4 .stay-status', text, timeout);

async function order(page: Page, packageId: number, email: string): Promise<void> {
  await page.click(`label[for=package-${packageId}]`);
  await page.fill('#email', email);
  await page.click('#buy');
}

/** Answers the oldest waiting flight request. */
async function answerFlight(isReserved: boolean): Promise<void> {
  await until(() => expect(supplier.waiting.length).toBeGreaterThan(0));
  supplier.waiting.shift()?.answer(isReserved);
}

/** Buys a unit of package 4 as another customer, and waits until it is booked. */
async function somebodyBuys(): Promise<void> {
  const bought = buy(server.origin, 4, { email: 'somebody@example.com' });
  await answerFlight(true);
  expect((await bought).status).toBe(201);
}

it('shows a purchase of one browser in another without a reload', async () => {
  const [buyer, watcher] = await Promise.all([visit('/order'), visit('/order')]);
  await Promise.all([isLive(buyer), isLive(watcher)]);
  await free(watcher, /^2 places left/);
  const ordered = order(buyer, 4, 'ana@example.com');
  await free(watcher, /^1 place left/);
  await says(watcher, '#stay-4 .key-held', /^1 being booked/);
  await answerFlight(true);
  await says(watcher, '#stay-4 .key-sold', /^1 sold/);
  await ordered;
  await says(buyer, 'h1', 'Your trip is booked');
  expect(await wasNeverReloaded(watcher)).toBe(true);
});

it('Q4 shows the queue and then the outcome in place, also in the tab’s title', async () => {
  const first = buy(server.origin, 1, { email: 'first@example.com' });
  await until(() => expect(supplier.waiting).toHaveLength(1));
  const second = buy(server.origin, 1, { email: 'second@example.com' });
  await until(async () => expect((await server.engine.package(1))?.inventory.waiting).toBe(1));
  const page = await visit('/order-queue');
  await order(page, 1, 'ana@example.com');
  await page.waitForURL(/\/orders\//);
  await isLive(page);
  await mark(page);
  await says(page, '#order-live', '1 person is ahead of you. 1 place is being booked.');
  await titled(page, 'No. 2 in the queue');
  await answerFlight(false);
  expect((await first).code).toBe('supplier_failed');
  await says(page, '#order-live', '1 place is being booked. You get it if that booking fails.');
  await titled(page, 'No. 1 in the queue');
  await answerFlight(false);
  expect((await second).code).toBe('supplier_failed');
  await says(page, '.headline', 'Asking the airline');
  await answerFlight(true);
  await says(page, '.headline', 'Your trip is booked');
  await titled(page, 'Booked');
  expect(await wasNeverReloaded(page)).toBe(true);
});

it('moves waiting buyers up when somebody before them leaves the queue', async () => {
  const held = buy(server.origin, 1, { email: 'first@example.com' });
  await until(() => expect(supplier.waiting).toHaveLength(1));
  const { order: before } = await buy(server.origin, 1, {
    email: 'before@example.com',
    prefer: 'respond-async',
  });
  const page = await visit('/order-queue');
  await order(page, 1, 'ana@example.com');
  await says(page, '#order-live', '1 person is ahead of you');
  const leaving = await server.engine.order(before?.id ?? '');
  if (leaving === undefined) throw new Error('the order is gone');
  await server.engine.cancel(leaving);
  await says(page, '#order-live', 'You get it if that booking fails');
  await answerFlight(true);
  await held;
  await says(page, '.headline', 'Sold out');
});

it.each(['cut', 'swallow'] as const)(
  'shows a notice while the network is lost (%s), and catches up within 5 s of its return',
  async (how) => {
    const page = await visit('/order');
    await isLive(page);
    network[how]();
    await says(page, '#live-chip .live-label', 'Reconnecting', 12_000);
    await somebodyBuys();
    await free(page, /^2 places left/);
    network.mend();
    await free(page, /^1 place left/, 5000);
    await isLive(page);
    expect(await wasNeverReloaded(page)).toBe(true);
  },
);

it('shows an outcome that came while the network was down', async () => {
  const page = await visit('/order-queue');
  await order(page, 4, 'ana@example.com');
  await says(page, '.headline', 'Asking the airline');
  await isLive(page);
  network.cut();
  await answerFlight(true);
  await until(async () => expect((await server.engine.package(4))?.inventory.confirmed).toBe(1));
  network.mend();
  await says(page, '.headline', 'Your trip is booked', 5000);
});

it('updates a suspended tab when it is shown again', async () => {
  const page = await visit('/order');
  await isLive(page);
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Page.setWebLifecycleState', { state: 'frozen' });
  network.cut();
  await somebodyBuys();
  network.mend();
  await devtools.send('Page.setWebLifecycleState', { state: 'active' });
  await free(page, /^1 place left/, 5000);
  expect(await wasNeverReloaded(page)).toBe(true);
});

it('polls when sockets are refused', async () => {
  network.refuseSockets();
  const page = await visit('/order');
  await somebodyBuys();
  await free(page, /^1 place left/);
  const queue = await visit('/order-queue');
  await order(queue, 4, 'ana@example.com');
  await says(queue, '.headline', 'Asking the airline');
  await answerFlight(true);
  await says(queue, '.headline', 'Your trip is booked');
});

it('reconnects its viewers after a restart', async () => {
  const page = await visit('/order');
  await isLive(page);
  await server.stop();
  await says(page, '#live-chip .live-label', 'Reconnecting');
  server = await startServer({ settings });
  network.leadTo(server.origin);
  await isLive(page);
  await somebodyBuys();
  await free(page, /^1 place left/);
  expect(await wasNeverReloaded(page)).toBe(true);
});
