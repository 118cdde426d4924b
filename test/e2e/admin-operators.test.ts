import { readFile } from 'node:fs/promises';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accessibilityViolations } from '../support/accessibility.ts';
import { buy } from '../support/api-client.ts';
import { onSale, startServer, type TestServer } from '../support/server.ts';
import { type Chromium, launchChromium } from '../support/servers/chromium.ts';

/* An operator who may only read, in a real browser, and the download of files. */

const tokens = { admin: 'a-token-for-operators-only', ben: 'the-token-of-ben-0123456789' } as const;

let server: TestServer;
let browser: Chromium;

beforeAll(async () => {
  const settings = {
    ...{ ADMIN_TOKEN: tokens.admin, ADMIN_TOKENS: `ben:${tokens.ben}:read` },
    FLIGHT_FAILURE_RATE: '0',
  };
  [server, browser] = await Promise.all([
    startServer({ settings, packages: [onSale({ quota: 50 })] }),
    launchChromium(),
  ]);
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

async function signedIn(
  name: keyof typeof tokens,
  width = 1280,
): Promise<{ context: BrowserContext; page: Page }> {
  const context = await browser.newContext({ viewport: { width, height: 740 }, reducedMotion: 'reduce' });
  const page = await context.newPage();
  await page.goto(`${server.origin}/admin`);
  await page.getByLabel('Admin token').fill(tokens[name]);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  return { context, page };
}

/** The texts of all visible buttons, and of the links that lead to a change. */
function visibleActions(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(`
    [...document.querySelectorAll('main button, main [data-changes]')]
      .filter((element) => element.checkVisibility())
      .map((element) => element.textContent)`);
}

describe.each([1280, 360])('an operator who may only read, %i px', (width) => {
  test('sees live figures and no button that changes something', async () => {
    const { context, page } = await signedIn('ben', width);
    await page.getByText('You are logged in as ben, who may only read.').waitFor();
    await page.locator('#live-chip[data-state=live]').waitFor();
    expect(await visibleActions(page)).toEqual([]);
    // The row that comes over the socket hides its button too.
    const confirmed = page.locator('#admin-package-1 [data-label=Confirmed]');
    const before = await confirmed.textContent();
    await buy(server.origin, 1, { email: 'ana@example.com' });
    await expect.poll(() => confirmed.textContent(), { timeout: 10_000 }).not.toBe(before);
    expect(await visibleActions(page)).toEqual([]);
    for (const path of ['/admin', '/admin/packages/1', '/admin/packages/1/pause', '/admin/packages/new']) {
      await page.goto(server.origin + path);
      expect([path, await visibleActions(page)]).toEqual([path, []]);
      expect([path, await accessibilityViolations(page)]).toEqual([path, []]);
      expect([path, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([path, width]);
    }
    await context.close();
  });

  test('another operator sees the buttons', async () => {
    const { context, page } = await signedIn('admin', width);
    expect(await visibleActions(page)).toContain('New package');
    await page.goto(`${server.origin}/admin/packages/1/pause`);
    expect(await visibleActions(page)).toContain('Pause package 1');
    await context.close();
  });

  test('the page of the exports is accessible and fits', async () => {
    const { context, page } = await signedIn('ben', width);
    await page.goto(`${server.origin}/admin/export`);
    expect(await accessibilityViolations(page)).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
    await context.close();
  });
});

test('the form of the export downloads the orders, as often as it is sent', async () => {
  await buy(server.origin, 1, { email: 'ana@example.com' });
  const { context, page } = await signedIn('ben');
  await page.goto(`${server.origin}/admin/export`);
  await page.getByLabel('Status').selectOption('confirmed');
  for (let each = 0; each < 2; each++) {
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download the orders' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('orders.csv');
    const lines = (await readFile(await download.path(), 'utf8')).split('\r\n');
    expect(lines[0]).toMatch(/^id,packageId,/);
    expect(lines[1]).toContain(',ana@example.com,confirmed,');
  }
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'Download the reconciliation' }).click(),
  ]);
  expect(await readFile(await download.path(), 'utf8')).toContain('\r\nmatched,flights,');
  await context.close();
});
