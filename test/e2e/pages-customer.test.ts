import { readFile } from 'node:fs/promises';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { buy } from '../support/api-client.ts';
import {
  heading as headingOf,
  type ManualSale,
  order as orderOn,
  startManualSale,
} from '../support/manual-sale.ts';
import type { ManualSupplier } from '../support/manual-supplier.ts';
import type { TestServer } from '../support/server.ts';
import { type Chromium, launchChromium } from '../support/servers/chromium.ts';

let browser: Chromium;
let sale: ManualSale;
let supplier: ManualSupplier;
let server: TestServer;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  browser = await launchChromium();
});
beforeEach(async () => {
  sale = await startManualSale();
  ({ supplier, server } = sale);
});
afterEach(async () => {
  await context?.close();
  await sale?.stop();
});
afterAll(() => browser?.close());

async function open(path: string, javaScriptEnabled = true): Promise<void> {
  context = await browser.newContext({ javaScriptEnabled, viewport: { width: 390, height: 780 } });
  page = await context.newPage();
  await page.goto(`${server.origin}${path}`);
}

const order = (email?: string) => orderOn(page, email);

const heading = (name: string) => headingOf(page, name);

describe.each([true, false])('with JavaScript: %s', (javaScriptEnabled) => {
  test('a waiting buyer on /order sees the position in the queue, then the outcome', async () => {
    await sale.otherHolds();
    await open('/order?package=1', javaScriptEnabled);
    await order();
    await heading('Your position in the queue').waitFor();
    expect(await page.locator('#place').textContent()).toBe('1');
    supplier.release('other@example.com', 'no seat');
    await heading('Your trip is booked').waitFor();
  });

  test('the questions before leaving the queue and before a cancel can be declined', async () => {
    await sale.otherHolds();
    await open('/order-queue?package=1', javaScriptEnabled);
    await order();
    const leave = javaScriptEnabled
      ? page.locator('summary', { hasText: 'Leave the queue' })
      : page.getByRole('link', { name: 'Leave the queue', exact: true });
    await leave.click();
    const keep = page.getByRole('link', { name: 'Keep my position' });
    await keep.waitFor();
    // Without JavaScript, the page of a queued order loads again every other second; not while it asks.
    if (!javaScriptEnabled) expect(await page.content()).not.toContain('http-equiv="refresh"');
    await keep.click();
    await keep.waitFor({ state: 'hidden' });
    await heading('Your position in the queue').waitFor();

    supplier.release('other@example.com', 'no seat');
    await heading('Your trip is booked').waitFor();
    await cancelling(page, javaScriptEnabled).click();
    await page.getByRole('link', { name: 'Keep it' }).click();
    await page.getByRole('link', { name: 'Keep it' }).waitFor({ state: 'hidden' });
    if (javaScriptEnabled) await page.locator('summary:focus', { hasText: 'Cancel this trip' }).waitFor();
    await heading('Your trip is booked').waitFor();
    expect((await server.engine.package(1))?.inventory.confirmed).toBe(1);
  });

  test('an empty form marks the choice of trips, then the email', async () => {
    await open('/order', javaScriptEnabled);
    if (!javaScriptEnabled) await page.getByLabel('Your email').fill('ana@example.com');
    await page.locator('#buy').click();
    await page.getByText('Choose a trip first: pick one of the nights below.').first().waitFor();
    const trips = page.getByRole('radiogroup', { name: 'Trips' });
    expect(await trips.getAttribute('aria-invalid')).toBe('true');
    const message = javaScriptEnabled ? '#trips-error' : '#alert';
    expect(await page.locator(message).evaluate(isInSight)).toBe(true);
    if (!javaScriptEnabled) return;
    await page.locator('#trips:focus').waitFor();
    expect(await trips.getAttribute('aria-describedby')).toBe('trips-error');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    expect(await trips.getAttribute('aria-invalid')).toBe(null);
    expect(await page.locator('#trips-error').isVisible()).toBe(false);
    for (const chip of await page.locator('.chip').all()) expect(await chip.isVisible()).toBe(true);
    await page.locator('#buy').click();
    await page.locator('#email:focus').waitFor();
    expect(new URL(page.url()).pathname).toBe('/order');
  });

  test('the bar shows the chosen trip', async () => {
    await open('/order', javaScriptEnabled);
    await page.getByText('No trip chosen yet').waitFor();
    await page.getByRole('radio', { name: /Flight-2/ }).check();
    await page.getByText('No trip chosen yet').waitFor({ state: 'hidden' });
    const said = page.locator('.choice');
    if (javaScriptEnabled) expect(await said.innerText()).toMatch(/Flight-2\s+Tue, 9 Aug 2022\s+\$100/);
    else expect(await said.innerText()).toBe('Your trip is marked above, with its price');
  });

  test('a booked trip is added to the calendar, as often as the buyer likes', async () => {
    await open('/order?package=2', javaScriptEnabled);
    await order();
    for (let each = 0; each < 2; each++) {
      const saved = page.waitForEvent('download');
      await page.getByRole('button', { name: 'Add to calendar' }).click();
      const file = await saved;
      expect(file.suggestedFilename()).toBe('trip-2022-08-09.ics');
      const text = await readFile(await file.path(), 'utf8');
      expect(text).toContain('SUMMARY:Flight: Flight-2\r\n');
      expect(text).toMatch(/Flight ticket: F\d{8}[\s\S]*Hotel reservation: H\d{8}/);
    }
    await heading('Your trip is booked').waitFor();
  });

  test('an order page explains how to find it again and has a readable private link', async () => {
    await open('/order?package=2', javaScriptEnabled);
    await page.getByText('Needed, with the order number, to find your order again.').waitFor();
    await order();
    const again = page.getByRole('region', { name: 'How to find this order again' });
    await again.getByText('you need its order number and your email').waitFor();
    await again
      .getByText('Anyone who has it can see this order and your email, and do whatever you can do here.')
      .waitFor();
    const link = again.locator('.private-link');
    const { pathname, host } = new URL(page.url());
    expect(await link.textContent()).toMatch(new RegExp(`^${host}${pathname}\\?proof=[\\w-]{22}$`));
    const stranger = await browser.newContext({ javaScriptEnabled });
    const theirs = await stranger.newPage();
    await theirs.goto(`http://${await link.textContent()}`);
    await theirs.getByRole('heading', { name: 'Your trip is booked' }).waitFor();
    await cancelling(theirs, javaScriptEnabled).click();
    await theirs.getByRole('button', { name: 'Yes, cancel the trip' }).click();
    await theirs.getByRole('heading', { name: 'This trip is cancelled' }).waitFor();
    await stranger.close();
  });
});

const cancelling = (on: Page, javaScriptEnabled: boolean) =>
  javaScriptEnabled
    ? on.locator('summary', { hasText: 'Cancel this trip' })
    : on.getByRole('link', { name: 'Cancel this trip', exact: true });

const isInSight = (element: { getBoundingClientRect(): { top: number; bottom: number } }) => {
  const { top, bottom } = element.getBoundingClientRect();
  return top >= 0 && bottom <= 780;
};

test('the buttons copy the order number and the private link', async () => {
  await open('/order?package=2');
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: server.origin });
  await order();
  const copied = () => page.evaluate('navigator.clipboard.readText()');
  await page.locator('#copy-number').click();
  await page.locator('#copy-number', { hasText: 'Copied' }).waitFor();
  expect(await copied()).toBe(new URL(page.url()).pathname.split('/').at(-1));
  await page.getByRole('button', { name: 'Copy private link' }).click();
  await page.locator('#copy-link', { hasText: 'Copied' }).waitFor();
  expect(await copied()).toBe(`http://${await page.locator('.private-link').textContent()}`);
});

test('“Try again” disappears when the trip sells out while the page is open', async () => {
  supplier.hold('ana@example.com');
  await open('/order-queue?package=1');
  await order();
  await heading('Asking the airline…').waitFor();
  supplier.release('ana@example.com', 'no seat');
  await heading('The airline had no seat.').waitFor();
  await page.getByRole('button', { name: 'Try again' }).waitFor();
  const { order: bought } = await buy(server.origin, 1, { email: 'ben@example.com' });
  await page.getByText('This trip has sold out since.').waitFor();
  expect(await page.getByRole('button', { name: 'Try again' }).count()).toBe(0);
  expect(await page.getByRole('link', { name: 'See other trips' }).getAttribute('href')).toBe('/order');
  const sold = await server.engine.order(bought?.id ?? '');
  if (sold !== undefined) await server.engine.cancel(sold);
  await page.reload();
  await page.getByRole('button', { name: 'Try again' }).waitFor();
});

test('a failed order of a sold-out trip has no “Try again”', async () => {
  supplier.hold('ana@example.com');
  await open('/order-queue?package=1');
  await order();
  supplier.release('ana@example.com', 'no seat');
  await page.getByRole('button', { name: 'Try again' }).waitFor();
  await buy(server.origin, 1, { email: 'ben@example.com' });
  await page.reload();
  await page.getByText('This trip has sold out since.').waitFor();
  expect(await page.getByRole('button', { name: 'Try again' }).count()).toBe(0);
});

test('a confirmed order offers more than cancelling, and prints as a ticket', async () => {
  await open('/order?package=2');
  await order();
  await page.evaluate('window.print = () => { window.isPrinted = true; }');
  await page.getByRole('button', { name: 'Print' }).click();
  expect(await page.evaluate('window.isPrinted')).toBe(true);
  expect(await page.getByRole('link', { name: 'Book another trip' }).getAttribute('href')).toBe('/order');
  await page.getByRole('link', { name: 'How to find it again' }).click();
  await page.locator('#find-again:target').waitFor();
  const actions = await page.locator('.actions').locator('button, a, summary').allInnerTexts();
  expect(actions.indexOf('Cancel this trip')).toBeGreaterThan(2);

  await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
  const paper = await page.evaluate<string>('document.body.innerText');
  for (const said of ['Flight-2', 'Tue, 9 Aug 2022', '$100', 'Your trip is booked', 'ana@example.com'])
    expect(paper).toContain(said);
  expect(paper).toContain('you need the ticket and the reservation number below');
  expect(paper).not.toMatch(/Add to calendar|Cancel this trip|What happened/);
  expect(paper).toMatch(/[0-9A-Z]{4}(-[0-9A-Z]{4}){3}[\s\S]*F\d{8}[\s\S]*H\d{8}/);
  expect(
    await page.locator('button:visible, summary:visible, nav:visible, .private-link:visible').count(),
  ).toBe(0);
  expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(255, 255, 255)');
});

test('a ticket printed without JavaScript has no links to cancel it either', async () => {
  await open('/order?package=2', false);
  await order();
  const links = page.locator('a.button:visible, button:visible');
  await cancelling(page, false).waitFor();
  expect(await links.count()).toBeGreaterThan(0);
  await page.emulateMedia({ media: 'print' });
  expect(await links.count()).toBe(0);
  expect(await page.locator('main').innerText()).toMatch(/Your trip is booked[\s\S]*F\d{8}[\s\S]*H\d{8}/);
});
