import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { buy } from '../support/api-client.ts';
import { seen, watch } from '../support/layout-shifts.ts';
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
  context = await browser.newContext({ viewport: { width: 360, height: 740 } });
  page = await context.newPage();
});
afterEach(async () => {
  await context?.close();
  await sale?.stop();
});
afterAll(() => browser?.close());

async function order(path: string, packageId: number, email: string): Promise<void> {
  await page.goto(`${server.origin}${path}?package=${packageId}`);
  await orderOn(page, email);
}

const heading = (name: string) => headingOf(page, name);

test('position, booking and outcome appear without a reload or a layout shift', async () => {
  await sale.otherHolds();
  supplier.hold('ana@example.com');
  await order('/order-queue', 1, 'ana@example.com');
  await heading('Your position in the queue').waitFor();
  await page.evaluate(watch);
  expect(await page.locator('#place').textContent()).toBe('1');
  await page.getByText('1 place is being booked. You get it if that booking fails.').waitFor();
  await page.getByText('Estimated wait: not known yet').waitFor();
  await page.getByText('On your turn we book at once, unless everything has been sold by then.').waitFor();
  await page.getByText('You can close this page; we keep your position.').waitFor();
  expect(await page.title()).toBe('No. 1 in the queue · Flight-1');

  supplier.release('other@example.com', 'no seat');
  await heading('Asking the airline…').waitFor();
  await page.getByText('If the airline has a seat, we ask the hotel for your room.').waitFor();
  supplier.release('ana@example.com', 'seat');
  await heading('Your trip is booked').waitFor();
  // The title changes after the page.
  await expect.poll(() => page.title()).toBe('Booked · Flight-1');
  await page.getByText('On your trip you need the ticket and the reservation number below.').waitFor();
  await page
    .getByRole('alert')
    .getByText(/^Your trip is booked\./)
    .waitFor({ state: 'attached' });
  expect(await page.evaluate(seen)).toEqual({ reloaded: false, shifts: [] });
});

test('in German nothing moves either, though its texts are longer', async () => {
  await sale.otherHolds();
  supplier.hold('ana@example.com');
  await page.goto(`${server.origin}/order-queue?package=1&lang=de`);
  await page.getByLabel('Ihre E-Mail-Adresse').fill('ana@example.com');
  await page.locator('#buy').click();
  await heading('Ihre Position in der Warteschlange').waitFor();
  await page.evaluate(watch);
  await page.getByText('Geschätzte Wartezeit: noch nicht bekannt').waitFor();
  await page
    .getByText('Sobald Sie an der Reihe sind, buchen wir sofort, sofern noch etwas frei ist.')
    .waitFor();
  supplier.release('other@example.com', 'no seat');
  await heading('Anfrage an die Fluggesellschaft …').waitFor();
  supplier.release('ana@example.com', 'seat');
  await heading('Ihre Reise ist gebucht').waitFor();
  await page
    .getByText('Auf Ihrer Reise brauchen Sie die Ticket- und die Reservierungsnummer unten.')
    .waitFor();
  expect(await page.evaluate(seen)).toEqual({ reloaded: false, shifts: [] });
});

test('the focus moves to the new headline when its element disappears', async () => {
  await sale.otherHolds();
  await order('/order-queue', 1, 'ana@example.com');
  await page.locator('summary', { hasText: 'Leave the queue' }).focus();
  supplier.release('other@example.com', 'no seat');
  await heading('Your trip is booked').waitFor();
  await page.locator('#headline-confirmed:focus').waitFor();
});

test('leaving the queue first asks and names its effect, and an update keeps the question open', async () => {
  await sale.otherHolds();
  supplier.hold('ben@example.com');
  await buy(server.origin, 1, { email: 'ben@example.com', prefer: 'respond-async', key: 'ben' });
  await order('/order-queue', 1, 'cleo@example.com');
  await page.locator('#place', { hasText: '2' }).waitFor();
  await page.locator('summary', { hasText: 'Leave the queue' }).click();
  const yes = page.getByRole('button', { name: 'Yes, leave the queue' });
  await yes.focus();
  supplier.release('other@example.com', 'no seat');
  await page.locator('#place', { hasText: '1' }).waitFor();
  await page.getByText('You give up your position.').waitFor();
  expect(await page.evaluate('document.activeElement.textContent')).toBe('Yes, leave the queue');
  await yes.click();
  await heading('You left the queue').waitFor();
});

test('copying a number is confirmed', async () => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: server.origin });
  await order('/order', 2, 'ana@example.com');
  const row = page.locator('.fact', { hasText: 'Flight ticket' });
  const button = row.getByRole('button', { name: 'Copy flight ticket' });
  await button.click();
  await button.getByText('Copied').waitFor();
  expect(await page.evaluate('navigator.clipboard.readText()')).toBe(await row.locator('code').textContent());
  await page.locator('#announce-politely', { hasText: 'Copied' }).waitFor({ state: 'attached' });
});

test('a confirmed trip is cancelled after a question that names the effect', async () => {
  await order('/order', 2, 'ana@example.com');
  await page.locator('summary', { hasText: 'Cancel this trip' }).click();
  await page.getByText('This cannot be undone.').waitFor();
  await page.getByRole('button', { name: 'Yes, cancel the trip' }).click();
  await heading('This trip is cancelled').waitFor();
  await page.getByText('Your seat was given back.').waitFor();
});

test('an order that is being booked explains why it cannot be cancelled', async () => {
  supplier.hold('ana@example.com');
  await order('/order-queue', 2, 'ana@example.com');
  const id = new URL(page.url()).pathname.split('/').at(-1);
  const cookies = (await context.cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
  const address = `${server.origin}/orders/${id}/cancel`;
  const refused = await fetch(address, { method: 'POST', headers: { cookie: cookies } });
  expect(refused.status).toBe(409);
  expect(await refused.text()).toContain('We are booking this order right now.');
});

test('Q10 another browser sees an order only by its private link', async () => {
  await order('/order', 2, 'ana@example.com');
  const address = new URL(page.url()).pathname;
  const link = await page.locator('#copy-link').getAttribute('data-copy-link');
  const stranger = await browser.newContext();
  const theirs = await stranger.newPage();
  const answers = [address, '/orders/7Q4M-9XKD-2VBN-H5TR', '/orders/nonsense', `${address}?proof=wrong`];
  const texts: string[] = [];
  for (const path of answers) {
    const answer = await theirs.goto(`${server.origin}${path}`);
    expect(answer?.status()).toBe(404);
    texts.push(await theirs.locator('main').innerHTML());
  }
  expect(new Set(texts).size).toBe(1);
  expect(await theirs.getByRole('link', { name: 'Look up an order' }).getAttribute('href')).toBe('/query');
  await theirs.goto(`${server.origin}${link}`);
  await theirs.getByRole('heading', { name: 'Your trip is booked' }).waitFor();
  expect(theirs.url()).toBe(`${server.origin}${address}`);
  await stranger.close();
});
