import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { noticeEvents } from '../../src/domain/notices.ts';
import { allOperations as operations } from '../../src/openapi/routes.ts';
import { accessibilityViolations } from '../support/accessibility.ts';
import { onSale, startServer, type TestServer } from '../support/server.ts';
import { type Chromium, launchChromium } from '../support/servers/chromium.ts';

let server: TestServer;
let browser: Chromium;

beforeAll(async () => {
  const settings = { PAYMENTS: 'simulated', ADMIN_TOKEN: 'a-token-of-some-length-0123456789' };
  [server, browser] = await Promise.all([
    startServer({ settings, packages: [onSale({ quota: 7 })] }),
    launchChromium(),
  ]);
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

describe('/docs', () => {
  test.each([
    ['a phone, light then dark', { width: 360, height: 740 }, ['light', 'dark']],
    ['a desktop, dark then light', { width: 1280, height: 900 }, ['dark', 'light']],
  ] as const)('on %s', { timeout: 120_000 }, async (_name, viewport, [first, second]) => {
    const context = await browser.newContext({ colorScheme: first, viewport, reducedMotion: 'reduce' });
    const page = await context.newPage();
    const { complaints, hosts } = listen(page);
    await page.goto(`${server.origin}/docs`);
    await page.locator('.opblock').first().waitFor();

    // All operations and webhooks are shown, and no error.
    const described = operations.length + noticeEvents.length;
    expect(await page.locator('.opblock').count()).toBe(described);
    expect(await page.locator('.errors-wrapper').count()).toBe(0);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(viewport.width);

    // The longest operation fits as well.
    await page.locator('#operations-Orders-createOrder .opblock-summary-control').click();
    await page.locator('#operations-Orders-createOrder .responses-table').waitFor();
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(viewport.width);

    // "Try it out" gets its answer from this server.
    await page.locator('#operations-Packages-listPackages .opblock-summary-control').click();
    await page.locator('#operations-Packages-listPackages .try-out__btn').click();
    await page.locator('#operations-Packages-listPackages .execute').click();
    await page.locator('.live-responses-table', { hasText: '"quota": 7' }).waitFor();

    // Swagger UI's own markup is not checked. A load takes seconds, so one serves both colour schemes.
    for (const colorScheme of [first, second]) {
      await page.emulateMedia({ colorScheme });
      expect(await accessibilityViolations(page, { exclude: '.swagger-ui' })).toEqual([]);
    }
    expect(complaints).toEqual([]);
    expect([...hosts]).toEqual([new URL(server.origin).host]);
    await context.close();
  });
});

/** Collects console errors, above all violations of the CSP, and the hosts that the page contacts. */
function listen(page: Page): { complaints: string[]; hosts: Set<string> } {
  const complaints: string[] = [];
  const hosts = new Set<string>();
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.protocol !== 'data:' && url.protocol !== 'blob:') hosts.add(url.host);
  });
  return { complaints, hosts };
}
