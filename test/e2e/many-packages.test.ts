import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { accessibilityViolations } from '../support/accessibility.ts';
import { buy } from '../support/api-client.ts';
import { onSale, startServer, type TestServer } from '../support/server.ts';
import { type Chromium, launchChromium } from '../support/servers/chromium.ts';

/* The search and the pages of a sale with 250 packages, on the order page and on the operators' pages. */

const token = 'open-sesame-open-sesame-open-sesame';
const nights = ['2030-01-01', '2030-01-02'];
const packages = Array.from({ length: 250 }, (_, index) =>
  onSale({
    id: index + 1,
    flight: `Flight-${Math.floor(index / 2) + 1}`,
    stay: nights[index % 2] as string,
    quota: 3,
  }),
);

let browser: Chromium;
let server: TestServer;
let context: BrowserContext;
let page: Page;

/** Long enough for a busy machine. */
const inTime = { timeout: 20_000 };

beforeAll(async () => {
  browser = await launchChromium();
  server = await startServer({ settings: { FLIGHT_FAILURE_RATE: '0', ADMIN_TOKEN: token }, packages });
});
afterEach(() => context?.close());
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

async function open(path: string, javaScriptEnabled = true): Promise<void> {
  context = await browser.newContext({ javaScriptEnabled, viewport: { width: 360, height: 740 } });
  page = await context.newPage();
  await page.goto(`${server.origin}${path}`);
}

const found = () => page.locator('.search-found').innerText();
const stays = () => page.locator('.stay').count();

test('without JavaScript a trip is found by flight and night, and bought', async () => {
  await open('/order', false);
  await expect.poll(async () => [await stays(), await found()], inTime).toEqual([100, '1–100 of 250 trips']);
  await page.getByRole('link', { name: 'Next', exact: true }).click();
  await expect.poll(found, inTime).toBe('101–200 of 250 trips');
  await page.getByRole('link', { name: 'Next', exact: true }).click();
  await expect.poll(async () => [await stays(), await found()], inTime).toEqual([50, '201–250 of 250 trips']);
  await page.getByRole('searchbox', { name: 'Flight' }).fill('flight-12');
  await page.getByLabel('Night', { exact: true }).fill('2030-01-02');
  await page.getByRole('button', { name: 'Search' }).click();
  await expect.poll(found, inTime).toMatch(/^7 trips found/);
  expect(await page.getByRole('searchbox', { name: 'Flight' }).inputValue()).toBe('flight-12');
  expect(await page.getByLabel('Night', { exact: true }).inputValue()).toBe('2030-01-02');
  // An order with a mistake shows the same trips again.
  await page.getByRole('radio', { name: /2 Jan/ }).nth(6).check();
  await page.getByLabel('Your email').fill('nobody@nowhere');
  await page.locator('#buy').click();
  await page.locator('#email[aria-invalid]').waitFor();
  await expect
    .poll(async () => [await stays(), await page.getByRole('radio', { checked: true }).inputValue()], inTime)
    .toEqual([7, '250']);
  await page.getByLabel('Your email').fill('ana@example.com');
  await page.locator('#buy').click();
  await page.getByRole('heading', { name: 'Your trip is booked' }).waitFor();
});

test('a search keeps the email, Enter searches, and the found trips are live', async () => {
  await open('/order');
  expect(await accessibilityViolations(page)).toEqual([]);
  await page.getByLabel('Your email').fill('ben@example.com');
  await page.getByRole('searchbox', { name: 'Flight' }).fill('FLIGHT-60');
  await page.getByRole('searchbox', { name: 'Flight' }).press('Enter');
  await page.locator('#stay-119').waitFor();
  await expect
    .poll(async () => [await stays(), await page.getByLabel('Your email').inputValue()], inTime)
    .toEqual([2, 'ben@example.com']);
  await page.locator('#live-chip[data-state=live]').waitFor();
  await buy(server.origin, 119, { email: 'cleo@example.com' });
  await page.locator('#stay-119', { hasText: '1 sold' }).waitFor();
  expect(await page.getByLabel('Your email').inputValue()).toBe('ben@example.com');
  // The other order page shows the same trips.
  await page.getByRole('link', { name: /Take a number/ }).click();
  await page.waitForURL('**/order-queue?flight=FLIGHT-60');
  await page.getByRole('link', { name: 'Show all trips' }).click();
  await page.waitForURL('**/order-queue');
  await expect
    .poll(async () => [await stays(), await page.getByLabel('Your email').inputValue()], inTime)
    .toEqual([100, 'ben@example.com']);
});

test('without a socket the found trips are polled', async () => {
  await open('/order?flight=flight-70');
  await page.evaluate('window.ticketLive.now()');
  await context.route('**/live?*', (route) => route.abort());
  await page.routeWebSocket(/live/, (socket) => socket.close());
  await page.reload();
  await buy(server.origin, 139, { email: 'cleo@example.com' });
  await page.locator('#stay-139', { hasText: '1 sold' }).waitFor();
});

test('a search without a result says so, and no script fails', async () => {
  await open('/order');
  const errors: Error[] = [];
  page.on('pageerror', (error) => errors.push(error));
  await page.goto(`${server.origin}/order?flight=nowhere`);
  await expect
    .poll(async () => [await stays(), await found()], inTime)
    .toEqual([0, 'No trip matches.\nShow all trips']);
  expect(await accessibilityViolations(page)).toEqual([]);
  expect(errors).toEqual([]);
});

test('operators find a package, and its row and page are live', async () => {
  await open('/admin');
  await page.getByLabel('Token').fill(token);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.locator('#admin-packages').waitFor();
  await expect
    .poll(async () => [await page.locator('tr.package').count(), await found()], inTime)
    .toEqual([100, '1–100 of 250 packages']);
  await page.getByRole('searchbox', { name: 'Flight' }).fill('flight-99');
  await page.getByRole('button', { name: 'Search' }).click();
  await page.waitForURL('**/admin/packages?flight=flight-99*');
  await expect.poll(found, inTime).toMatch(/^2 packages found/);
  expect(await accessibilityViolations(page)).toEqual([]);
  const confirmed = page.locator('#admin-package-197 [data-label=Confirmed]');
  await page.locator('#live-chip[data-state=live]').waitFor();
  await buy(server.origin, 197, { email: 'cleo@example.com' });
  await confirmed.filter({ hasText: '1' }).waitFor();
  await page.getByRole('link', { name: 'Flight-99' }).first().click();
  await page.locator('#live-chip[data-state=live]').waitFor();
  await buy(server.origin, 197, { email: 'dora@example.com' });
  await confirmed.filter({ hasText: '2' }).waitFor();
});
