import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { accessibilityViolations } from '../support/accessibility.ts';
import { seen, watch } from '../support/layout-shifts.ts';
import { heading as headingOf, order as orderOn } from '../support/manual-sale.ts';
import { onSale, startServer, type TestServer } from '../support/server.ts';
import { type Chromium, type ContextOptions, launchChromium } from '../support/servers/chromium.ts';

/* Buyers on a phone who pay at the simulated provider, or do not. */

const phone = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };

let browser: Chromium;
let server: TestServer;
let origin: string;
let context: BrowserContext;
let page: Page;
let complaints: string[];

beforeAll(async () => {
  browser = await launchChromium();
});
afterEach(async () => {
  await context?.close();
  await server?.stop();
});
afterAll(() => browser?.close());

/** Opens a shop with one place. Its provider leads buyers back to `localhost`, so they begin there. */
async function open(windowMs = 300_000, options: ContextOptions = {}): Promise<void> {
  server = await startServer({
    settings: {
      ...{ PAYMENTS: 'simulated', CURRENCY: 'EUR', FLIGHT_FAILURE_RATE: '0' },
      PAYMENT_WINDOW: String(windowMs),
    },
    packages: [onSale({ id: 1, quota: 1, price: 120 })],
  });
  origin = server.origin.replace('127.0.0.1', 'localhost');
  context = await browser.newContext({ ...phone, ...options });
  complaints = [];
  context.on('page', (opened) => {
    opened.on('pageerror', ({ message }) => complaints.push(message));
    opened.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
  });
  page = await context.newPage();
}

/** Orders the trip. Returns the address of its payment. */
async function order(): Promise<string> {
  await page.goto(`${origin}/order?package=1`);
  await orderOn(page);
  await heading('Pay to get your trip').waitFor();
  return addressOfPayment();
}

async function addressOfPayment(): Promise<string> {
  return (await page.locator('#pay').getAttribute('href')) ?? '';
}

const heading = (name: string) => headingOf(page, name);
const orderId = () => new URL(page.url()).pathname.split('/').at(-1) ?? '';
const timeLeft = () => page.locator('#countdown').textContent();
const statusOf = async (id: string) => (await server.engine.order(id))?.status;

/** Pays or declines without a browser. */
async function act(payment: string, move: 'pay' | 'decline'): Promise<void> {
  await fetch(payment, { method: 'POST', body: new URLSearchParams({ act: move }), redirect: 'manual' });
}

describe('a buyer who', () => {
  test('Q11 pays comes back to a trip that is booked', async () => {
    await open();
    await order();
    expect(await page.locator('#amount').textContent()).toBe('€120.00');
    expect(await timeLeft()).toMatch(/^(?:5:00|4:\d\d)$/);
    expect(await page.locator('#pay-by').innerText()).toMatch(/^Pay by \d\d:\d\d:\d\d\s/);
    await page.getByText('Once your payment arrives, your trip is booked').first().waitFor();
    expect(await page.title()).toBe('To be paid · Flight-1');
    await page.getByRole('link', { name: 'Pay now' }).click();
    await heading('Simulated payment').waitFor();
    await page.getByText('€120.00').waitFor();
    const button = page.getByRole('button', { name: 'Pay' });
    expect((await button.boundingBox())?.height).toBeGreaterThanOrEqual(44);
    await button.click();
    await heading('Your trip is booked').waitFor();
    await page.getByText('It is paid.').first().waitFor();
    expect(new URL(page.url()).search).toBe('');
    expect(complaints).toEqual([]);
  });

  test('Q11 pays elsewhere sees it on the open page, which counts down and moves nothing', async () => {
    await open();
    const payment = await order();
    await page.locator('#live-chip[data-state=live]').waitFor();
    await page.evaluate(watch);
    const before = await timeLeft();
    await expect.poll(timeLeft).not.toBe(before);
    // A countdown that is read aloud every second would drown everything else.
    expect(await page.locator('#announce-politely').textContent()).toBe('');
    await act(payment, 'pay');
    await heading('Your trip is booked').waitFor();
    await page
      .getByRole('alert')
      .getByText(/^Your trip is booked\./)
      .waitFor({ state: 'attached' });
    expect(await page.evaluate(seen)).toEqual({ reloaded: false, shifts: [] });
    expect(complaints).toEqual([]);
  });

  test('Q11 declines is told so, and orders again by one button', async () => {
    await open();
    await order();
    const declined = orderId();
    await page.locator('#pay').click();
    await page.getByRole('button', { name: 'Decline' }).click();
    await heading('Your payment was declined.').waitFor();
    await page.getByText('You have not been charged.').first().waitFor();
    await expect.poll(() => statusOf(declined)).toBe('failed');
    await page.getByRole('button', { name: 'Order again' }).click();
    await heading('Pay to get your trip').waitFor();
    expect(orderId()).not.toBe(declined);
    await act(await addressOfPayment(), 'pay');
    await heading('Your trip is booked').waitFor();
    expect(complaints).toEqual([]);
  });

  test('Q11 lets the time expire sees it on the open page, and may order again', async () => {
    await open(4_000);
    await order();
    await page.evaluate(watch);
    await heading('This order was not paid in time.').waitFor();
    await page.getByText('If you paid later, your payment is refunded.').first().waitFor();
    await page.getByRole('button', { name: 'Order again' }).waitFor();
    expect(await page.locator('#pay').count()).toBe(0);
    expect(await page.evaluate(seen)).toEqual({ reloaded: false, shifts: [] });
    expect(complaints).toEqual([]);
  });

  test('Q11 pays too late gets the money back, and reads that the order has ended', async () => {
    await open(5_000);
    const payment = await order();
    const id = orderId();
    await page.goto(payment);
    await page.getByText('This payment is due.').waitFor();
    await expect.poll(() => statusOf(id), { timeout: 15_000 }).toBe('failed');
    await page.getByRole('button', { name: 'Pay' }).click();
    await heading('This order was not paid in time.').waitFor();
    await page.getByText('If you paid later, your payment is refunded.').first().waitFor();
    await page.goto(payment);
    await page.getByText('This payment was refunded.').waitFor();
    expect(await statusOf(id)).toBe('failed');
    expect(complaints).toEqual([]);
  });

  test('goes back from the provider without paying can still pay', async () => {
    await open();
    await order();
    await page.locator('#pay').click();
    await page.getByRole('link', { name: 'Go back and do nothing' }).click();
    await heading('Pay to get your trip').waitFor();
    await page.locator('#pay').click();
    await heading('Simulated payment').waitFor();
    await page.goBack();
    await heading('Pay to get your trip').waitFor();
    await act(await addressOfPayment(), 'pay');
    await heading('Your trip is booked').waitFor();
    expect(complaints).toEqual([]);
  });

  test('closes the page finds the order again, with less time left, and pays', async () => {
    await open();
    await order();
    const before = await timeLeft();
    await expect.poll(timeLeft).not.toBe(before);
    const closedAt = await timeLeft();
    await page.close();
    page = await context.newPage();
    await page.goto(`${origin}/query`);
    await page.locator('.recent-link').click();
    await heading('Pay to get your trip').waitFor();
    expect(((await timeLeft()) ?? '') <= (closedAt ?? '')).toBe(true);
    await page.locator('#pay').click();
    await page.getByRole('button', { name: 'Pay' }).click();
    await heading('Your trip is booked').waitFor();
    expect(complaints).toEqual([]);
  });

  test('closes the page after paying comes back to a booked trip, also in another browser', async () => {
    await open();
    const payment = await order();
    const id = orderId();
    const link = await page.locator('#copy-link').getAttribute('data-copy-link');
    await page.close();
    await act(payment, 'pay');
    await expect.poll(() => statusOf(id)).toBe('confirmed');
    const other = await browser.newContext(phone);
    page = await other.newPage();
    await page.goto(`${origin}${link}`);
    await heading('Your trip is booked').waitFor();
    await page.getByText('It is paid.').first().waitFor();
    await other.close();
  });

  test('gives up after a question has nothing to pay', async () => {
    await open();
    const payment = await order();
    await page.locator('summary', { hasText: 'Cancel this order' }).click();
    await page.getByText('somebody else may take them').waitFor();
    await page.getByRole('button', { name: 'Yes, cancel the order' }).click();
    await heading('You cancelled this order before you paid.').waitFor();
    await page.getByRole('button', { name: 'Order again' }).waitFor();
    await page.goto(payment);
    await page.getByText('This payment was cancelled.').waitFor();
    expect(complaints).toEqual([]);
  });

  test('has a minute left hears so once', async () => {
    await open(65_000);
    await order();
    await page
      .locator('#announce-politely', { hasText: 'One minute left to pay.' })
      .waitFor({ state: 'attached', timeout: 20_000 });
    expect(await timeLeft()).toMatch(/^(?:1:00|0:5\d)$/);
  });

  test('has no JavaScript sees the end of the time, and pays', async () => {
    await open(300_000, { javaScriptEnabled: false });
    await order();
    expect(await page.locator('#pay-by').innerText()).toMatch(/^Pay by \d\d:\d\d:\d\d UTC$/);
    expect(await page.locator('#countdown').isVisible()).toBe(false);
    await page.locator('#pay').click();
    await page.getByRole('button', { name: 'Pay' }).click();
    await heading('Your trip is booked').waitFor();
  });

  test('reads German pays in German', async () => {
    await open(300_000, { locale: 'de-DE' });
    await page.goto(`${origin}/order?package=1`);
    await page.getByLabel('Ihre E-Mail-Adresse').fill('ana@example.com');
    await page.locator('#buy').click();
    await heading('Bezahlen Sie Ihre Reise').waitFor();
    await page.evaluate(watch);
    expect(await page.locator('#amount').textContent()).toMatch(/^120,00\s€$/);
    await act(await addressOfPayment(), 'pay');
    await heading('Ihre Reise ist gebucht').waitFor();
    await page.getByText('Die Reise ist bezahlt.').first().waitFor();
    expect(await page.evaluate(seen)).toEqual({ reloaded: false, shifts: [] });
    expect(complaints).toEqual([]);
  });
});

test.each(['light', 'dark'] as const)('a wide window shows the same, %s', async (colorScheme) => {
  const viewport = { width: 1280, height: 800 };
  await open(300_000, { viewport, colorScheme, isMobile: false, hasTouch: false });
  await order();
  await page.locator('#live-chip[data-state=live]').waitFor();
  await page.locator('summary').click();
  expect(await accessibilityViolations(page)).toEqual([]);
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(1280);
  expect(await page.locator('.verdict .primary').count()).toBe(1);
  const bottomOf = async (selector: string) => {
    const box = await page.locator(selector).boundingBox();
    return (box?.y ?? 9_999) + (box?.height ?? 0);
  };
  expect(await bottomOf('#pay')).toBeLessThanOrEqual(800);
  expect(complaints).toEqual([]);
});
