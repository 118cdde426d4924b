import type { BrowserContext, Page, Request } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { accessibilityViolations } from '../support/accessibility.ts';
import { type BreakableNetwork, breakableNetwork } from '../support/breakable-network.ts';
import { type ManualSupplier, startManualSupplier } from '../support/manual-supplier.ts';
import { onSale, type ServerOptions, startServer, type TestServer } from '../support/server.ts';
import { type Chromium, type ContextOptions, launchChromium } from '../support/servers/chromium.ts';

let browser: Chromium;
let supplier: ManualSupplier;
let server: TestServer;
let network: BreakableNetwork;
const contexts: BrowserContext[] = [];

const email = 'ana@example.com';
const packages = [
  onSale({ id: 1, flight: 'Flight-1', quota: 1 }),
  onSale({ id: 2, flight: 'Flight-2', quota: 9 }),
];

beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser?.close());
beforeEach(async () => {
  supplier = await startManualSupplier();
});
afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close();
  await network?.close();
  await server?.stop();
  await supplier?.stop();
});

/** Opens an address in a new browser, with a server behind a network that a test can break. */
async function open(path: string, options: ContextOptions = {}, more: ServerOptions = {}): Promise<Page> {
  const { settings, ...others } = more;
  server = await startServer({
    packages,
    settings: { SUPPLIERS_URL: supplier.url, SUPPLIER_TIMEOUT_MS: '60000', ...settings },
    ...others,
  });
  network = await breakableNetwork(server.origin);
  return visit(path, options);
}

async function visit(path: string, options: ContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 390, height: 844 }, ...options });
  contexts.push(context);
  const page = await context.newPage();
  await page.goto(network.origin + path);
  return page;
}

async function fill(page: Page, trip = /Flight-2/): Promise<void> {
  await page.getByRole('radio', { name: trip }).check();
  await page.getByLabel('Your email').fill(email);
}

/** Presses the button without waiting: the navigation may never end. */
const press = (page: Page) => page.evaluate('void setTimeout(() => document.getElementById("buy").click())');

const says = (page: Page, title: string | RegExp) => page.getByRole('heading', { name: title }).waitFor();
const booked = (page: Page) => says(page, 'Your trip is booked');

const inventory = async (id = 2) => (await server.engine.package(id))?.inventory;

/** Waits until the server has stored the order whose answer is lost. */
async function isStored(): Promise<void> {
  await expect.poll(() => inventory(), { timeout: 5000 }).toMatchObject({ held: 1 });
}

/** Collects the idempotency keys of the purchases that a page sends from now on. */
function keysOf(page: Page): (string | null)[] {
  const keys: (string | null)[] = [];
  page.on('request', (sent: Request) => {
    const isPurchase = sent.method() === 'POST' && /\/order(-queue)?$/.test(sent.url());
    if (isPurchase) keys.push(new URLSearchParams(sent.postData() ?? '').get('key'));
  });
  return keys;
}

describe('with JavaScript', () => {
  test.each(['/order', '/order-queue'])(
    'Q7 a purchase whose connection broke early is sent again on %s',
    async (path) => {
      const page = await open(path);
      await fill(page);
      const keys = keysOf(page);
      network.cut();
      await press(page);
      await says(page, 'No answer yet');
      expect(page.url()).toBe(network.origin + path);
      expect(await inventory()).toMatchObject({ remaining: 9, held: 0 });
      network.mend();
      await booked(page);
      expect(new Set(keys).size).toBe(1);
      expect(await inventory()).toMatchObject({ confirmed: 1, held: 0 });
    },
  );

  test('Q7 a lost answer is requested again, and one order is bought', async () => {
    supplier.hold(email);
    const page = await open('/order');
    await fill(page);
    const keys = keysOf(page);
    await press(page);
    await isStored();
    network.cut();
    await says(page, 'No answer yet');
    supplier.release(email, 'seat');
    network.mend();
    await booked(page);
    expect(new Set(keys).size).toBe(1);
    expect(await inventory()).toMatchObject({ confirmed: 1, held: 0, waiting: 0 });
    await page.goto(`${network.origin}/order`);
    await page.getByRole('button', { name: 'Order', exact: true }).waitFor();
  });

  test('an offline click is announced, stored, and sent when the network is back', async () => {
    const page = await open('/order');
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    await fill(page);
    const keys = keysOf(page);
    await page.evaluate(watchShifts);
    await page.context().setOffline(true);
    await press(page);
    const said = page.getByRole('status').filter({ hasText: 'You are offline' });
    await said.getByText('Your order will be sent when the connection is back.').waitFor();
    expect(await page.evaluate('document.activeElement.textContent')).toBe('You are offline');
    expect(await accessibilityViolations(page)).toEqual([]);
    expect(await page.evaluate('window.shifts')).toEqual([]);
    expect(keys).toEqual([]);
    await page.context().setOffline(false);
    await booked(page);
    expect(keys).toHaveLength(1);
    expect(complaints.filter((text) => !text.includes('ERR_INTERNET_DISCONNECTED'))).toEqual([]);
  });

  test('neither Escape nor the back button hides an order under way', async () => {
    const page = await open('/order');
    await fill(page);
    await page.context().setOffline(true);
    await press(page);
    await says(page, 'You are offline');
    for (let times = 0; times < 4; times++) await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Do not send it' }).click();
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
  });

  test('an order that is stored offline can be discarded and is never sent', async () => {
    const page = await open('/order');
    await fill(page);
    const keys = keysOf(page);
    await page.context().setOffline(true);
    await press(page);
    await page.getByRole('button', { name: 'Do not send it' }).click();
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    await page.context().setOffline(false);
    await page.locator('#live-chip[data-state=live]').waitFor();
    expect(keys).toEqual([]);
    await press(page);
    await booked(page);
    expect(keys).toHaveLength(1);
  });

  test.each(['/order', '/order-queue'])(
    'a buyer whose browser was killed in the middle is led from %s to the order',
    async (path) => {
      const page = await lostInTheMiddle();
      const again = await visit(path, { storageState: await gone(page) });
      await says(again, 'Asking the airline…');
      supplier.release(email, 'seat');
      await booked(again);
      await again.goto(`${network.origin}/order`);
      await again.getByRole('button', { name: 'Order', exact: true }).waitFor();
    },
  );

  test('a buyer whose browser was killed finds the order among “My orders”', async () => {
    const page = await lostInTheMiddle();
    const again = await visit('/query', { storageState: await gone(page) });
    await again.locator('.recent-link').getByText('Flight-2').waitFor();
    expect(await again.locator('.recent-link').count()).toBe(1);
    // The script looks for the order as well and closes the dialog once it is found.
    await again.getByRole('dialog').waitFor({ state: 'hidden' });
  });

  test('a browser that lost its signed cookie finds the order by its local storage', async () => {
    const page = await lostInTheMiddle();
    const { cookies, origins } = await gone(page);
    const storageState = { origins, cookies: cookies.filter(({ name }) => name !== 'forms') };
    const again = await visit('/query', { storageState });
    await again.locator('.recent-link').getByText('Flight-2').waitFor();
  });

  test('Q7 a buyer who returns is told that the order did not arrive, and sends it again', {
    timeout: 60_000,
  }, async () => {
    const page = await open('/order');
    await fill(page);
    const keys = keysOf(page);
    network.cut();
    await press(page);
    await says(page, 'No answer yet');
    const storageState = await gone(page);
    expect(await inventory()).toMatchObject({ remaining: 9, held: 0, confirmed: 0 });
    const again = await visit('/order', { storageState });
    const more = keysOf(again);
    await says(again, 'Looking for your order…');
    await again.getByRole('heading', { name: 'Your order has not reached us' }).waitFor({ timeout: 20_000 });
    expect(await again.getByLabel('Your email').inputValue()).toBe(email);
    expect(await again.locator('#package-2').isChecked()).toBe(true);
    await again.getByRole('button', { name: 'Send it again' }).click();
    await booked(again);
    expect(more).toEqual([keys[0]]);
  });

  test('a buyer who stops the retries still sees the stored order', async () => {
    const page = await lostInTheMiddle();
    await says(page, 'No answer yet');
    await page.getByRole('button', { name: 'Stop trying' }).click();
    await says(page, 'Looking for your order…');
    const keys = keysOf(page);
    supplier.release(email, 'seat');
    network.mend();
    await booked(page);
    expect(keys).toEqual([]);
  });

  test('a buyer who is refused after a lost answer still sees the order', async () => {
    supplier.hold(email);
    const page = await open('/order', {}, { settings: { RATE_LIMIT: 'on', RATE_LIMIT_PURCHASES: '1/1h' } });
    await fill(page);
    await press(page);
    await isStored();
    network.cut();
    await says(page, 'No answer yet');
    supplier.release(email, 'seat');
    network.mend();
    await booked(page);
    expect(await inventory()).toMatchObject({ confirmed: 1, held: 0 });
  });

  test('an order that was stored before a 503 is still shown', async () => {
    const page = await open('/order');
    await fill(page);
    await page.route('**/order', async (route) => {
      await route.fetch({ maxRedirects: 0 });
      const headers = { 'Retry-After': '120' };
      await route.fulfill({ status: 503, headers, contentType: 'text/html', body: '<p>Later.</p>' });
    });
    await press(page);
    await booked(page);
    expect(await inventory()).toMatchObject({ confirmed: 1, held: 0 });
  });

  test('the page waits for a rate limit that ends soon', async () => {
    const page = await open('/order', {}, { settings: { RATE_LIMIT: 'on', RATE_LIMIT_PURCHASES: '1/9s' } });
    await fill(page);
    await takePurchase();
    await press(page);
    await says(page, 'Please wait');
    await page
      .getByRole('dialog')
      .getByText(/^Too many requests at once\. We will send your order again in \d seconds?\.$/)
      .waitFor();
    await booked(page);
  });

  test('a buyer who stops waiting for a limit is not told that the order was lost', async () => {
    const page = await open('/order', {}, { settings: { RATE_LIMIT: 'on', RATE_LIMIT_PURCHASES: '1/20s' } });
    await fill(page);
    await takePurchase();
    await press(page);
    await says(page, 'Please wait');
    await page.getByRole('button', { name: 'Stop trying' }).click();
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    await page
      .locator('#announce-politely', { hasText: 'Your order was not taken. Nothing was booked.' })
      .waitFor();
    await page.getByRole('button', { name: 'Order', exact: true }).waitFor();
    await page.reload();
    await page.locator('#live-chip[data-state=live]').waitFor();
    expect(await page.getByRole('dialog').isVisible()).toBe(false);
  });

  test('a refusal is shown in place, and the form keeps its input', async () => {
    const page = await open('/order');
    await page.locator('#live-chip[data-state=live]').waitFor();
    await page.evaluate("document.documentElement.dataset.neverReloaded = 'yes'");
    await page.getByLabel('Your email').fill('ana@example');
    await page.getByRole('radio', { name: /Flight-2/ }).check();
    const before = await page.locator('[name=key]').first().inputValue();
    await page.evaluate("document.getElementById('order-form').noValidate = true");
    await press(page);
    await page.locator('#email:focus').waitFor();
    await page.getByText('Enter an email address, for example').waitFor();
    expect(await page.locator('#package-2').isChecked()).toBe(true);
    expect(await page.locator('[name=key]').first().inputValue()).not.toBe(before);
    await page.getByLabel('Your email').fill(email);
    expect(await page.evaluate("document.documentElement.dataset.neverReloaded === 'yes'")).toBe(true);
    await page.locator('#live-chip[data-state=live]').waitFor();
    await press(page);
    await booked(page);
  });

  test('an unfinished order and its email are deleted from the browser after a day', async () => {
    const page = await open('/order');
    await page.evaluate((sentTo) => {
      const fields = { key: 'old', packageId: '2', email: sentTo };
      const triedAt = Date.now() - 24 * 60 * 60 * 1000 - 1;
      localStorage.setItem('open-orders', JSON.stringify([{ action: '/order', fields, tries: 1, triedAt }]));
    }, email);
    await page.reload();
    await expect.poll(() => page.evaluate("localStorage.getItem('open-orders')")).toBe(null);
  });

  test('two offline tabs with the same order buy once', async () => {
    const one = await open('/order');
    const other = await one.context().newPage();
    await other.goto(`${network.origin}/order-queue`);
    for (const page of [one, other]) await fill(page);
    network.cut();
    await press(one);
    await says(one, 'No answer yet');
    await press(other);
    await says(other, 'No answer yet');
    network.mend();
    await Promise.all([booked(one), booked(other)]);
    expect(await inventory()).toMatchObject({ confirmed: 1, held: 0 });
  });

  test('an order that another tab discards is not sent', async () => {
    const page = await open('/order');
    await fill(page);
    const keys = keysOf(page);
    network.cut();
    await press(page);
    await says(page, 'No answer yet');
    // The effect of "Do not send it" in another tab.
    await page.evaluate("localStorage.removeItem('open-orders')");
    const tries = keys.length;
    network.mend();
    await page.locator('dialog.purchase[open]').waitFor({ state: 'detached' });
    expect(keys).toHaveLength(tries);
    expect(await inventory()).toMatchObject({ remaining: 9, held: 0, confirmed: 0 });
    await page.getByRole('button', { name: 'Order', exact: true }).waitFor();
  });
});

/** Opens a page whose order is stored while the answer is lost. */
async function lostInTheMiddle(options: ContextOptions = {}): Promise<Page> {
  supplier.hold(email);
  const page = await open('/order', options);
  await fill(page);
  await press(page);
  await isStored();
  network.cut();
  return page;
}

/** Ends a browser and returns its cookies and local storage. */
async function gone(page: Page) {
  const state = await page.context().storageState();
  await page.context().close();
  network.mend();
  return state;
}

async function takePurchase(): Promise<void> {
  const body = new URLSearchParams({ packageId: '9', email, key: 'another' });
  await fetch(`${server.origin}/order`, { method: 'POST', body });
}

describe('without JavaScript', () => {
  const plain = { javaScriptEnabled: false };

  /** Sends the form over a network that breaks, so that the browser shows its own error page. */
  async function sendInVain(page: Page, breakNetwork: () => Promise<void> | void): Promise<void> {
    const sent = page.locator('#buy').click({ noWaitAfter: true });
    await breakNetwork();
    await expect.poll(() => page.url(), { timeout: 10_000 }).toMatch(/^chrome-error:/);
    await sent.catch(() => {});
    network.mend();
  }

  test.each(['/order', '/order-queue', '/query'])(
    'an order whose answer was lost is found on %s',
    async (path) => {
      supplier.hold(email);
      const page = await open('/order', plain);
      await fill(page);
      await sendInVain(page, async () => {
        await isStored();
        network.cut();
      });
      await page.goto(network.origin + path);
      if (path === '/query') await page.locator('.recent-link').click();
      await says(page, 'Asking the airline…');
      supplier.release(email, 'seat');
      await booked(page);
      await page.goto(`${network.origin}/order`);
      await page.getByRole('button', { name: 'Order', exact: true }).waitFor();
      const cookies = await page.context().cookies();
      expect(cookies.map(({ name }) => name).sort()).toEqual(['forms', 'orders']);
      expect(JSON.stringify(cookies)).not.toMatch(/ana|example/);
    },
  );

  test('a buyer whose form did not arrive sees a notice', async () => {
    const page = await open('/order', plain);
    await fill(page);
    await sendInVain(page, () => network.cut());
    for (const path of ['/query', '/order']) {
      await page.goto(network.origin + path);
      await page.locator('.sent-note', { hasText: 'we have not received it so far' }).waitFor();
    }
    await fill(page);
    await page.locator('#buy').click();
    await booked(page);
    expect(await inventory()).toMatchObject({ confirmed: 1 });
  });
});

test('a browser without storage can buy', async () => {
  const page = await open('/order');
  await page.addInitScript("Storage.prototype.setItem = () => { throw new Error('full'); }");
  await page.reload();
  await fill(page);
  await press(page);
  await booked(page);
});

test('a browser without cookies keeps its order while the page is open', async () => {
  const preferences = { profile: { default_content_setting_values: { cookies: 2 } } };
  await using strict = await launchChromium({ preferences });
  const first = await open('/order');
  await first.close();
  const page = await strict.context.newPage();
  await page.goto(`${network.origin}/order`);
  await fill(page);
  supplier.hold(email);
  await press(page);
  await isStored();
  network.cut();
  await says(page, 'No answer yet');
  supplier.release(email, 'seat');
  network.mend();
  await booked(page);
  expect(await inventory()).toMatchObject({ confirmed: 1, held: 0 });
});

describe.each([true, false])('the same trip a second time, JavaScript %s', (javaScriptEnabled) => {
  async function buyTwice(): Promise<Page> {
    const page = await open('/order', { javaScriptEnabled });
    for (let times = 0; times < 2; times++) {
      await page.goto(`${network.origin}/order`);
      await fill(page);
      await page.locator('#buy').click();
      if (times === 0) await booked(page);
    }
    await says(page, 'You already have a place on this trip');
    expect(await inventory()).toMatchObject({ confirmed: 1 });
    return page;
  }

  test('is bought after a confirmation', async () => {
    const page = await buyTwice();
    await page.getByRole('button', { name: 'Yes, buy another' }).click();
    await booked(page);
    await expect.poll(() => inventory()).toMatchObject({ confirmed: 2 });
  });

  test('is not bought when the buyer declines', async () => {
    const page = await buyTwice();
    if (javaScriptEnabled) expect(await accessibilityViolations(page)).toEqual([]);
    await page.getByRole('link', { name: 'No, show my order' }).click();
    await booked(page);
    expect(await inventory()).toMatchObject({ confirmed: 1, held: 0 });
  });
});

const watchShifts = `
  window.shifts = [];
  new PerformanceObserver((list) => window.shifts.push(...list.getEntries().map(({ value }) => value)))
    .observe({ type: 'layout-shift', buffered: false });`;
