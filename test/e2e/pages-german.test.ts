import { readFile } from 'node:fs/promises';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { heading as headingOf, type ManualSale, startManualSale } from '../support/manual-sale.ts';
import { type Chromium, launchChromium } from '../support/servers/chromium.ts';

let browser: Chromium;
let sale: ManualSale;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  browser = await launchChromium();
});
beforeEach(async () => {
  sale = await startManualSale();
});
afterEach(async () => {
  await context?.close();
  await sale?.stop();
});
afterAll(() => browser?.close());

/** Opens a page in a German browser. Returns what it complains about, above all violations of the CSP. */
async function open(path: string, javaScriptEnabled = true): Promise<string[]> {
  const viewport = { width: 390, height: 780 };
  context = await browser.newContext({ javaScriptEnabled, viewport, locale: 'de-DE' });
  page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', ({ message }) => complaints.push(message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  await page.goto(`${sale.server.origin}${path}`);
  return complaints;
}

const heading = (name: string) => headingOf(page, name);
const language = () => page.locator('html').getAttribute('lang');

describe.each([true, false])('with JavaScript: %s', (javaScriptEnabled) => {
  test('a customer searches, orders, waits, is booked and cancels in German', async () => {
    await sale.otherHolds();
    const complaints = await open('/order?flight=light', javaScriptEnabled);
    await heading('Wählen Sie Ihre Reise').waitFor();
    await page.getByText('2 Reisen gefunden').waitFor();
    await page.getByLabel('Flug', { exact: true }).fill('Flight-1');
    await page.getByRole('button', { name: 'Suchen' }).click();
    await page.getByText('1 Reise gefunden').waitFor();
    await page.getByRole('radio', { name: /Flight-1, Nacht vom Di\., 9\. Aug\. 2022/ }).check();
    await page.getByLabel('Ihre E-Mail-Adresse').fill('ana@example.com');
    await page.locator('#buy').click();

    await heading('Ihre Position in der Warteschlange').waitFor();
    await page.getByText('1 Platz wird gerade gebucht.').waitFor();
    await page.getByText('Geschätzte Wartezeit: noch nicht bekannt').waitFor();
    expect(await language()).toBe('de');
    if (javaScriptEnabled) {
      await page.locator('#live-chip[data-state=live]').waitFor();
      expect(await page.locator('.live-time').textContent()).toMatch(/^Stand: \d\d:\d\d:\d\d$/);
    }
    sale.supplier.release('other@example.com', 'no seat');
    await heading('Ihre Reise ist gebucht').waitFor();
    expect(await page.title()).toBe('Gebucht · Flight-1');
    expect(await page.locator('.trip-words').innerText()).toMatch(/100\s\$/);

    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'In den Kalender' }).click(),
    ]);
    expect(file.suggestedFilename()).toBe('reise-2022-08-09.ics');
    expect(await readFile(await file.path(), 'utf8')).toContain('SUMMARY:Flug: Flight-1\r\n');

    const cancel = javaScriptEnabled
      ? page.locator('summary', { hasText: 'Diese Reise stornieren' })
      : page.getByRole('link', { name: 'Diese Reise stornieren', exact: true });
    await cancel.click();
    await page.getByRole('button', { name: 'Ja, Reise stornieren' }).click();
    await heading('Diese Reise ist storniert').waitFor();
    await page.getByText('Die Reise wurde storniert.').waitFor();
    expect(complaints).toEqual([]);
  });

  test('a customer changes the language by a link, and it stays', async () => {
    await open('/order-queue?package=2', javaScriptEnabled);
    await heading('Wählen Sie Ihre Reise').waitFor();
    await page.getByRole('link', { name: 'English' }).click();
    await heading('Choose your trip').waitFor();
    expect(await language()).toBe('en');
    expect(await page.getByRole('radio', { name: /Flight-2/ }).isChecked()).toBe(true);
    await page.getByRole('link', { name: 'My orders' }).click();
    await heading('My orders').waitFor();
    await page.getByRole('link', { name: 'Deutsch' }).click();
    await heading('Meine Bestellungen').waitFor();
    await page.goto(`${sale.server.origin}/order`);
    await heading('Wählen Sie Ihre Reise').waitFor();
  });
});

test('an open page stays in its language when another one is chosen elsewhere', async () => {
  await open('/order');
  await page.locator('#live-chip[data-state=live]').waitFor();
  const other = await context.newPage();
  await other.goto(`${sale.server.origin}/order?lang=en`);
  await other.getByText('5 places left').waitFor();
  await page.getByText('Noch 5 Plätze').waitFor();
  const booked = await sale.server.engine.purchase({ packageId: 2, email: 'ben@example.com', key: 'k' });
  expect(booked.kind).toBe('accepted');
  await page.getByText('Noch 4 Plätze').waitFor();
  await other.getByText('4 places left').waitFor();
});

test('an answer in the language that was chosen elsewhere replaces the whole page', async () => {
  await open('/order?package=2');
  await context.addCookies([{ name: 'language', value: 'en', url: sale.server.origin }]);
  // Valid for the browser, but not for the server.
  await page.getByLabel('Ihre E-Mail-Adresse').fill('ana@example');
  await page.locator('#buy').click();
  await page.getByText('Enter an email address, for example ana@example.com.').waitFor();
  expect(await language()).toBe('en');
  await page.getByRole('link', { name: 'Deutsch' }).waitFor();
  expect(await page.getByLabel('Your email').inputValue()).toBe('ana@example');
});

test('what a customer entered is kept when the language changes', async () => {
  await open('/order');
  await page.getByRole('radio', { name: /Flight-2/ }).check();
  await page.getByLabel('Ihre E-Mail-Adresse').fill('ana@example.com');
  await page.getByRole('link', { name: 'English' }).click();
  await heading('Choose your trip').waitFor();
  // The page's script fills them in once it has loaded.
  await expect.poll(() => page.getByLabel('Your email').inputValue()).toBe('ana@example.com');
  await expect.poll(() => page.getByRole('radio', { name: /Flight-2/ }).isChecked()).toBe(true);
});

test('a customer who is offline reads so in German, and the order is sent later', async () => {
  await open('/order?package=2');
  await page.getByLabel('Ihre E-Mail-Adresse').fill('ana@example.com');
  await context.setOffline(true);
  await page.locator('#buy').click();
  const dialog = page.getByRole('dialog', { name: 'Sie sind offline' });
  await dialog.getByText('Ihre Bestellung wird gesendet, sobald die Verbindung wieder da ist.').waitFor();
  await dialog.getByRole('button', { name: 'Jetzt versuchen' }).waitFor();
  await context.setOffline(false);
  await heading('Ihre Reise ist gebucht').waitFor();
});
