import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accessibilityViolations } from '../support/accessibility.ts';
import { type PagesFixture, startPagesFixture } from '../support/pages-fixture.ts';
import { type Chromium, launchChromium } from '../support/servers/chromium.ts';

let stage: PagesFixture;
let browser: Chromium;

beforeAll(async () => {
  [stage, browser] = await Promise.all([startPagesFixture(), launchChromium()]);
});
afterAll(async () => {
  await browser?.close();
  await stage?.[Symbol.asyncDispose]();
});

const addresses: Readonly<Record<string, () => string>> = {
  order: () => `${stage.origin}/order`,
  'order, another chosen': () => `${stage.origin}/order-queue?package=3`,
  'order, not open': () => `${stage.notOpenOrigin}/order`,
  queue: () => stage.links.queue,
  pending: () => stage.links.pending,
  payable: () => stage.links.payable,
  confirmed: () => stage.links.confirmed,
  failed: () => stage.links.failed,
  cancelled: () => stage.links.cancelled,
  query: () => `${stage.origin}/query`,
  'unknown order': () => `${stage.origin}/orders/7Q4M-9XKD-2VBN-H5TR`,
  'unknown address': () => `${stage.origin}/nothing-here`,
};

describe.each([
  ['light', 'en-GB'],
  ['dark', 'en-GB'],
  ['light', 'de-DE'],
] as const)('every page, %s, %s, on a phone', (colorScheme, locale) => {
  test.each(Object.keys(addresses))('%s', { timeout: 60_000 }, async (name) => {
    const viewport = { width: 360, height: 740 };
    const context = await browser.newContext({ colorScheme, locale, viewport, reducedMotion: 'reduce' });
    const page = await context.newPage();
    const complaints = listen(page);
    await page.goto(addresses[name]?.() as string);
    await page.locator('#live-chip:not([data-state=live])').waitFor({ state: 'detached' });
    for (const confirm of await page.locator('summary').all()) await confirm.click();

    expect(await accessibilityViolations(page)).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360);
    expect(await smallTargets(page)).toEqual([]);
    expect(complaints).toEqual([]);
    await context.close();
  });
});

test('the first load weighs 40 KB at most, gzipped', async () => {
  for (const address of [addresses.order, addresses.queue, addresses.payable, addresses.query]) {
    const context = await browser.newContext();
    const page = await context.newPage();
    const bodies: Promise<Buffer>[] = [];
    page.on('response', (response) => {
      if (response.status() === 200) bodies.push(response.body());
    });
    await page.goto(address?.() as string, { waitUntil: 'networkidle' });
    const weights = (await Promise.all(bodies)).map((body) => gzipSync(body).length);
    expect(weights.length).toBeGreaterThan(2);
    expect(weights.reduce((sum, weight) => sum + weight)).toBeLessThanOrEqual(40_000);
    await context.close();
  }
});

/** Collects console errors, above all violations of the CSP. The error for a 404 page is expected. */
function listen(page: Page): string[] {
  const complaints: string[] = [];
  page.on('console', (message) => {
    const is404 = message.text().includes('404 (Not Found)');
    if (['error', 'warning'].includes(message.type()) && !is404) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  return complaints;
}

/** Controls that are less than 48 px high. Links in running text are exempt. */
function smallTargets(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(`
    [...document.querySelectorAll('button, summary, input:not([type=radio], [type=hidden]), .chip, nav a, a.button, .recent-link')]
      .filter((element) => element.checkVisibility() && element.offsetHeight < 48)
      .map((element) => element.outerHTML)`);
}
