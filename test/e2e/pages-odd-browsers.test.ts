import type { Page } from 'playwright-core';
import { afterEach, expect, test } from 'vitest';
import { buy } from '../support/api-client.ts';
import { startManualSupplier } from '../support/manual-supplier.ts';
import { onSale, type ServerOptions, startServer } from '../support/server.ts';
import { launchChromium } from '../support/servers/chromium.ts';

const stack: AsyncDisposableStack[] = [];

afterEach(async () => {
  for (const one of stack.splice(0)) await one.disposeAsync();
});

/** Opens a page in a browser with these preferences, on a server that lets the flights of `first@…` wait. */
async function open(
  preferences?: object,
  options: ServerOptions = {},
  viewport = { width: 360, height: 740 },
) {
  const all = new AsyncDisposableStack();
  stack.push(all);
  const supplier = await startManualSupplier();
  all.defer(() => supplier.stop());
  supplier.hold('first@example.com');
  const server = await startServer({
    settings: { SUPPLIERS_URL: supplier.url, SUPPLIER_TIMEOUT_MS: '60000' },
    packages: [onSale({ quota: 1 })],
    ...options,
  });
  all.defer(() => server.stop());
  const browser = all.use(await launchChromium({ viewport, ...(preferences && { preferences }) }));
  const page = await browser.context.newPage();
  return { page, server, supplier };
}

async function order(page: Page, origin: string, path = '/order'): Promise<void> {
  await page.goto(`${origin}${path}?package=1`);
  await page.getByLabel('Your email').fill('ana@example.com');
  await page.locator('#buy').click();
  await page.waitForURL('**/orders/**');
}

/** Without cookies there is no session storage either: reading it throws. */
const noCookies = { profile: { default_content_setting_values: { cookies: 2 } } };

test('Q10 a browser without cookies can order, watch and leave the queue', async () => {
  const { page, server } = await open(noCookies);
  const errors: string[] = [];
  page.on('pageerror', ({ message }) => errors.push(message));
  await buy(server.origin, 1, { email: 'first@example.com', prefer: 'respond-async', key: 'first' });
  await order(page, server.origin, '/order-queue');
  await page.getByRole('heading', { name: 'Your position in the queue' }).waitFor();
  await page.locator('#live-chip[data-state=live]').waitFor();
  const address = page.url();
  await page.locator('summary', { hasText: 'Leave the queue' }).click();
  await page.getByRole('button', { name: 'Yes, leave the queue' }).click();
  await page.getByRole('heading', { name: 'You left the queue' }).waitFor();

  await page.goto(`${server.origin}/query`);
  await page.getByLabel('Order number').fill(/orders\/([^?]+)/.exec(address)?.[1] ?? '');
  await page.getByLabel('Email').fill('ana@example.com');
  await page.getByRole('button', { name: 'Show the order' }).click();
  await page.getByRole('heading', { name: 'You left the queue' }).waitFor();
  expect(errors).toEqual([]);
});

test.each([
  ['letters twice as large', { webkit: { webprefs: { default_font_size: 32 } } }, 360],
  ['a window of 320 px', undefined, 320],
] as const)('with %s nothing is cut off or scrolls sideways', async (_what, preferences, width) => {
  const flight = 'A flight with a very long name, from Thiruvananthapuram by Ouagadougou';
  const packages = [onSale({ id: 1, flight, price: 1_234_567, quota: 10_000 })];
  const { page, server } = await open(preferences, { packages }, { width, height: 740 });
  const check = async () => expect(await page.evaluate(cutOff)).toEqual([]);
  await page.goto(`${server.origin}/order`);
  await page.locator('#live-chip[data-state=live]').waitFor();
  await check();
  await order(page, server.origin);
  await check();
  await page.goto(`${server.origin}/query`);
  await check();
});

/** Finds elements that overflow the window or are clipped by their box. */
const cutOff = `
  [...document.querySelectorAll('header *, main *')]
    .filter((element) => !element.closest('.unseen, .brand, svg') && element.checkVisibility())
    .filter((element) =>
      element.getBoundingClientRect().right > innerWidth + 1 ||
      (getComputedStyle(element).overflow === 'hidden' && (element.scrollWidth > element.clientWidth + 1 || element.scrollHeight > element.clientHeight + 2)))
    .map((element) => element.outerHTML)`;

/** Shortens the timeout for an answer in the page. */
const hurry = `{
  const { setTimeout } = window;
  window.setTimeout = (run, ms) => setTimeout(run, ms >= 20_000 ? 300 : ms);
}`;

const pressTwice = `{
  const button = document.getElementById('buy');
  button.click();
  button.click();
}`;

test('Q7 an order without an answer is sent again automatically and buys once', async () => {
  const { page, server, supplier } = await open();
  supplier.hold('ana@example.com');
  await page.addInitScript(hurry);
  await page.goto(`${server.origin}/order?package=1`);
  await page.getByLabel('Your email').fill('ana@example.com');
  const keys: (string | null)[] = [];
  page.on('request', (sent) => {
    if (sent.method() === 'POST') keys.push(new URLSearchParams(sent.postData() ?? '').get('key'));
  });
  await page.evaluate(pressTwice);
  await page.getByRole('button', { name: 'Placing your order…' }).waitFor();
  await page.getByRole('heading', { name: 'No answer yet' }).waitFor();
  await expect.poll(() => keys.length, { timeout: 5000 }).toBeGreaterThan(1);
  supplier.release('ana@example.com', 'seat');
  await page.getByRole('heading', { name: 'Your trip is booked' }).waitFor();
  expect(new Set(keys).size).toBe(1);
  expect((await server.engine.package(1))?.inventory).toMatchObject({ confirmed: 1, waiting: 0 });
});

test('the input is kept when the buyer switches to the other order page', async () => {
  const { page, server } = await open();
  await page.goto(`${server.origin}/order`);
  await page.getByRole('radio').check();
  await page.getByLabel('Your email').fill('ana@example.com');
  await page.getByRole('link', { name: 'Take a number' }).click();
  await page.waitForURL('**/order-queue');
  expect(await page.getByLabel('Your email').inputValue()).toBe('ana@example.com');
  expect(await page.getByRole('radio').isChecked()).toBe(true);
});
