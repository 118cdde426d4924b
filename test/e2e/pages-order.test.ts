import type { BrowserContext, Page, Request } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { packagesOf } from '../support/all-packages.ts';
import { buy } from '../support/api-client.ts';
import { type FaultySupplier, startFaultySupplier, supplierFaults } from '../support/faulty-supplier.ts';
import { startManualSupplier } from '../support/manual-supplier.ts';
import { onSale, type ServerOptions, startServer, type TestServer } from '../support/server.ts';
import { type Chromium, launchChromium } from '../support/servers/chromium.ts';

let browser: Chromium;
let server: TestServer;
let context: BrowserContext;
let page: Page;

const certain = { FLIGHT_FAILURE_RATE: '0' };
const packages = [
  onSale({ id: 1, flight: 'Flight-1', quota: 1 }),
  onSale({ id: 2, flight: 'Flight-2', quota: 5 }),
];

beforeAll(async () => {
  browser = await launchChromium();
});
afterEach(async () => {
  await context?.close();
  await server?.stop();
});
afterAll(() => browser?.close());

async function open(path: string, options: ServerOptions = {}, javaScriptEnabled = true): Promise<void> {
  server = await startServer({ settings: certain, packages, ...options });
  context = await browser.newContext({ javaScriptEnabled, viewport: { width: 360, height: 740 } });
  page = await context.newPage();
  await page.goto(`${server.origin}${path}`);
}

async function fill(trip: RegExp, email = 'ana@example.com'): Promise<void> {
  await page.getByRole('radio', { name: trip }).check();
  await page.getByLabel('Your email').fill(email);
}

const press = () => page.locator('#buy').click();

/** Presses the button, waits for the request, and returns its idempotency key. */
async function sentKey(): Promise<string | null> {
  const sent = page.waitForRequest((request) => request.method() === 'POST');
  await page.evaluate('void setTimeout(() => document.getElementById("buy").click())');
  return new URLSearchParams((await sent).postData() ?? '').get('key');
}

describe('without JavaScript', () => {
  test('an order is bought and shown', async () => {
    await open('/order', {}, false);
    await fill(/Flight-2/);
    await press();
    await page.getByRole('heading', { name: 'Your trip is booked' }).waitFor();
    expect(page.url()).toMatch(/\/orders\/[0-9A-Z-]{19}$/);
  });

  test('a pending order refreshes itself until it has an outcome', async () => {
    const supplier = await startManualSupplier();
    supplier.hold('ana@example.com');
    await open('/order-queue', { settings: { SUPPLIERS_URL: supplier.url } }, false);
    await fill(/Flight-2/);
    await press();
    await page.getByRole('heading', { name: 'Asking the airline…' }).waitFor();
    supplier.release('ana@example.com', 'seat');
    await page.getByRole('heading', { name: 'Your trip is booked' }).waitFor();
    await supplier.stop();
  });

  test('Q7 the same form sent twice buys once', async () => {
    await open('/order', {}, false);
    const form = new URLSearchParams({ packageId: '2', email: 'ana@example.com', key: 'one-and-the-same' });
    const send = () => fetch(`${server.origin}/order`, { method: 'POST', body: form, redirect: 'manual' });
    const [first, second] = await Promise.all([send(), send()]);
    expect(first.status).toBe(303);
    expect(second.headers.get('location')).toBe(first.headers.get('location'));
  });
});

test('Q7 a double click buys once, and the button says so at once without changing its width', async () => {
  const supplier = await startFaultySupplier({ fault: () => ({ answerAfterMs: 300 }) });
  await open('/order', { settings: { SUPPLIERS_URL: supplier.url } });
  await fill(/Flight-2/);
  // The page reads the texts in the task of the click, before it paints.
  const seen = await page.evaluate<{
    text: string;
    grewBy: number;
    busyAfterSecond: string;
  }>(`(() => {
    const button = document.getElementById('buy');
    const before = button.offsetWidth;
    button.click();
    const text = button.textContent.trim();
    button.click();
    return { text, grewBy: button.offsetWidth - before, busyAfterSecond: button.textContent.trim() };
  })()`);
  expect(seen).toEqual({
    text: 'Placing your order…',
    busyAfterSecond: 'Placing your order…',
    grewBy: 0,
  });
  await page.getByRole('heading', { name: 'Your trip is booked' }).waitFor();
  expect(supplier.calls.filter(({ kind }) => kind === 'flights')).toHaveLength(1);
  await supplier.stop();
});

test('Q7 a buyer who leaves during the order returns to it and has bought once', async () => {
  const supplier = await startManualSupplier();
  supplier.hold('ana@example.com');
  await open('/order', { settings: { SUPPLIERS_URL: supplier.url, SUPPLIER_TIMEOUT_MS: '60000' } });
  await fill(/Flight-2/);
  await sentKey();
  await expect.poll(async () => (await server.engine.package(2))?.inventory.held).toBe(1);
  await page.goto(`${server.origin}/order`);
  await page.getByRole('heading', { name: 'Asking the airline…' }).waitFor();
  supplier.release('ana@example.com', 'seat');
  await page.getByRole('heading', { name: 'Your trip is booked' }).waitFor();
  const [, snapshot] = await packagesOf(server.engine);
  expect(snapshot?.inventory).toMatchObject({ confirmed: 1, held: 0, waiting: 0 });
  await supplier.stop();
});

describe('a buyer who is refused by a rate limit', () => {
  const settings = { RATE_LIMIT: 'on', RATE_LIMIT_PURCHASES: '1/1h' };

  async function turnedAway(javaScriptEnabled: boolean): Promise<string | null> {
    await open('/order', { settings: { ...certain, ...settings } }, javaScriptEnabled);
    await buy(server.origin, 1, { email: 'ben@example.com' });
    await fill(/Flight-2/);
    const [sent, answer] = await Promise.all([
      page.waitForRequest((request) => request.method() === 'POST'),
      page.waitForResponse(`${server.origin}/order`),
      press(),
    ]);
    expect(answer.status()).toBe(429);
    return keyIn(sent);
  }

  const keyIn = (sent: Request) => new URLSearchParams(sent.postData() ?? '').get('key');

  test('Q7 is told when to reload the page, which sends the same order again, without JavaScript', async () => {
    const key = await turnedAway(false);
    await page.getByRole('alert').getByText('Reload this page in 60 minutes').waitFor();
    const again = page.waitForRequest((request) => request.method() === 'POST');
    await page.reload();
    expect(keyIn(await again)).toBe(key);
  });

  test('Q7 keeps the form as it was sent, and sends the same order again', async () => {
    const key = await turnedAway(true);
    await page.getByRole('heading', { name: 'Your order was not taken' }).waitFor();
    await page.getByRole('dialog').getByText('You can order again in 60 minutes').waitFor();
    await page.getByRole('button', { name: 'Close' }).click();
    await page.getByRole('button', { name: 'Order', exact: true }).waitFor();
    expect(await page.getByRole('radio', { name: /Flight-2/ }).isChecked()).toBe(true);
    expect(await page.getByLabel('Your email').inputValue()).toBe('ana@example.com');
    const sent = page.waitForRequest((request) => request.method() === 'POST');
    await press();
    expect(keyIn(await sent)).toBe(key);
    await page.getByRole('heading', { name: 'Your order was not taken' }).waitFor();
  });
});

test('without a socket the page polls over HTTP', async () => {
  server = await startServer({ settings: certain, packages });
  context = await browser.newContext();
  page = await context.newPage();
  await page.routeWebSocket('**/live*', (socket) => socket.close({ code: 1011 }));
  await page.goto(`${server.origin}/order`);
  await page.locator('#live-chip[data-state=reconnecting]', { hasText: 'Reconnecting' }).waitFor();
  await buy(server.origin, 1, { email: 'ben@example.com' });
  await page.locator('#stay-1').getByText('Sold out').waitFor();
});

test('a live update changes neither focus, choice nor layout', async () => {
  await open('/order');
  await fill(/Flight-2/);
  await page.locator('#package-2').focus();
  await page.locator('#live-chip[data-state=live]').waitFor();
  await page.evaluate(watchShifts);
  await buy(server.origin, 2, { email: 'ben@example.com' });
  await page.locator('#stay-2').getByText('1 sold').waitFor();
  await buy(server.origin, 1, { email: 'ben@example.com' });
  await page.locator('#stay-1').getByText('Sold out').waitFor();
  expect(await page.evaluate('document.activeElement.id')).toBe('package-2');
  expect(await page.locator('#package-2').isChecked()).toBe(true);
  expect(await page.locator('#package-1').isDisabled()).toBe(true);
  expect(await page.evaluate(takeShifts)).toEqual([]);
});

test('a chosen stay that sells out stays chosen, and its button is off', async () => {
  await open('/order');
  await fill(/Flight-1/);
  await buy(server.origin, 1, { email: 'ben@example.com' });
  await page.getByRole('button', { name: 'Sold out' }).waitFor();
  expect(await page.locator('#package-1').isChecked()).toBe(true);
  expect(await page.locator('#buy').getAttribute('aria-disabled')).toBe('true');
  await page.getByRole('radio', { name: /Flight-2/ }).check();
  expect(await page.locator('#buy').getAttribute('aria-disabled')).toBe('false');
});

test('a purchase of a sold-out stay offers the others and keeps the email', async () => {
  await open('/order', {}, false);
  await fill(/Flight-1/);
  await buy(server.origin, 1, { email: 'ben@example.com' });
  const [answer] = await Promise.all([page.waitForResponse(`${server.origin}/order`), press()]);
  expect(answer.status()).toBe(409);
  await page.getByRole('alert').getByText('This trip is sold out. You have not been charged.').waitFor();
  expect(await page.getByLabel('Your email').inputValue()).toBe('ana@example.com');
  await page.getByRole('alert').getByText('Flight-2').click();
  await press();
  await page.getByRole('heading', { name: 'Your trip is booked' }).waitFor();
});

test('an invalid email is kept, marked and focused', async () => {
  await open('/order', {}, false);
  await fill(/Flight-2/, 'ana@example');
  const [answer] = await Promise.all([page.waitForResponse(`${server.origin}/order`), press()]);
  expect(answer.status()).toBe(422);
  const email = page.getByLabel('Your email');
  expect(await email.inputValue()).toBe('ana@example');
  expect(await email.getAttribute('aria-invalid')).toBe('true');
  await page.locator('#email:focus').waitFor();
  expect(await page.getByRole('radio', { name: /Flight-2/ }).isChecked()).toBe(true);
});

test('an internationalised domain is bought with and shown as ASCII, and its order is found with either form', async () => {
  await open('/order');
  await fill(/Flight-2/, 'Ana@Bücher.example');
  await press();
  await page.getByRole('heading', { name: 'Your trip is booked' }).waitFor();
  await page.getByText('ana@xn--bcher-kva.example').waitFor();
  const orderId = page.url().slice(-19);
  for (const email of ['ana@bücher.example', 'ana@xn--bcher-kva.example']) {
    await page.context().clearCookies();
    await page.goto(`${server.origin}/query`);
    await page.getByLabel('Order number').fill(orderId);
    await page.getByLabel('Email').fill(email);
    await page.getByLabel('Email').press('Enter');
    await page.getByRole('heading', { name: 'Your trip is booked' }).waitFor();
  }
});

test('input is shown as text, never as markup', async () => {
  await open('/order');
  const body = new URLSearchParams({ packageId: '"><b>', email: '"><img src=x onerror=alert(1)>' });
  const text = await (await fetch(`${server.origin}/order`, { method: 'POST', body })).text();
  expect(text).toContain('value="&quot;&gt;&lt;img src=x onerror=alert(1)&gt;"');
  expect(text).not.toContain('<img');
});

test('the button counts down by the server’s clock and is enabled without a reload', async () => {
  // Later than the page is loaded and filled in, also on a busy machine.
  const opensAt = Date.now() + 8_000;
  await open('/order', { packages: [onSale({ id: 1, opensAt })] });
  await page.evaluate('window.isTheSame = true');
  await fill(/Flight-1/);
  await page.getByRole('button', { name: /Opens in 0:0\d/ }).waitFor();
  expect(await page.locator('#buy').getAttribute('aria-disabled')).toBe('true');
  await page.getByRole('button', { name: 'Order', exact: true }).waitFor();
  expect(Date.now()).toBeGreaterThanOrEqual(opensAt);
  expect(await page.evaluate('window.isTheSame')).toBe(true);
  await press();
  await page.getByRole('heading', { name: 'Your trip is booked' }).waitFor();
});

test('a wrong clock of the browser does not matter', async () => {
  server = await startServer({
    settings: certain,
    packages: [onSale({ id: 1, opensAt: Date.now() + 60_000 })],
  });
  context = await browser.newContext();
  page = await context.newPage();
  await page.addInitScript('{ const { now } = Date; Date.now = () => now.call(Date) + 3_600_000; }');
  await page.goto(`${server.origin}/order`);
  await page.getByRole('button', { name: /Opens in (1:00|0:5\d)/ }).waitFor();
});

describe('one-tap “Try again”', () => {
  test.each(['/order', '/order-queue'])('keeps the email, takes a fresh key and goes to %s', async (path) => {
    const supplier: FaultySupplier = await startFaultySupplier({
      fault: ({ kind, index }) => (kind === 'flights' && index === 1 ? supplierFaults.refuse : {}),
    });
    await open(path, { settings: { SUPPLIERS_URL: supplier.url } });
    await fill(/Flight-2/);
    await press();
    await page.getByRole('heading', { name: 'The airline had no seat.' }).waitFor();
    await page.getByText('You have not been charged.').waitFor();
    const failedAt = page.url();
    const [request] = await Promise.all([
      page.waitForRequest((sent) => sent.method() === 'POST'),
      page.getByRole('button', { name: 'Try again' }).click(),
    ]);
    expect(new URL(request.url()).pathname).toBe(path);
    await page.getByRole('heading', { name: 'Your trip is booked' }).waitFor();
    expect(page.url()).not.toBe(failedAt);
    await page.getByText('ana@example.com').waitFor();
    await supplier.stop();
  });
});

const watchShifts = `
  window.shifts = [];
  window.shiftWatch = new PerformanceObserver((list) => window.shifts.push(...list.getEntries()));
  window.shiftWatch.observe({ type: 'layout-shift', buffered: true });`;

/** Reads the layout shifts after two frames, so that the last ones count. */
const takeShifts = `
  new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => {
    window.shifts.push(...window.shiftWatch.takeRecords());
    resolve(window.shifts.map(({ value, sources }) => [value, ...sources.map(({ node }) => node?.outerHTML ?? node?.parentElement?.outerHTML ?? node?.textContent ?? 'gone')]));
  })))`;
