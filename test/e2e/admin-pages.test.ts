import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { accessibilityViolations } from '../support/accessibility.ts';
import { type AdminFixture, adminFixtureIds, startAdminFixture } from '../support/admin-fixture.ts';
import { type Chromium, type ContextOptions, launchChromium } from '../support/servers/chromium.ts';

let stage: AdminFixture;
let browser: Chromium;

beforeAll(async () => {
  [stage, browser] = await Promise.all([startAdminFixture(), launchChromium()]);
});
afterAll(async () => {
  await browser?.close();
  await stage?.[Symbol.asyncDispose]();
});

const { paused, selling, busy } = adminFixtureIds;

const addresses: Readonly<Record<string, () => string>> = {
  overview: () => '/admin',
  package: () => `/admin/packages/${paused}`,
  'new package': () => '/admin/packages/new',
  'wrong quota': () => `/admin/packages/${selling}/quota?quota=1`,
  'confirm quota': () => `/admin/packages/${busy}/quota?quota=5000`,
  'confirm pause': () => `/admin/packages/${selling}/pause`,
  'confirm resume': () => `/admin/packages/${paused}/resume`,
  'confirm archive': () => `/admin/packages/${adminFixtureIds.soldOut}/archive`,
  'cannot archive': () => `/admin/packages/${paused}/archive`,
  'confirm delete': () => `/admin/packages/${adminFixtureIds.notOpen}/delete`,
  archived: () => '/admin/packages/archived',
  'confirm drain': () => '/admin/instances/instance-1/drain',
  orders: () => '/admin/orders?status=stuck',
  order: () => `/admin/orders/${stage.stuckOrder.id}`,
  'confirm cancel': () => `/admin/orders/${stage.stuckOrder.id}/cancel`,
  log: () => '/admin/log',
  export: () => '/admin/export',
  erase: () => '/admin/erase',
  'unknown address': () => '/admin/nothing-here',
};

async function signedIn(options: ContextOptions): Promise<{ context: BrowserContext; page: Page }> {
  const context = await browser.newContext({ reducedMotion: 'reduce', ...options });
  const page = await context.newPage();
  await page.goto(`${stage.origin}/admin`);
  await page.getByLabel('Admin token').fill(stage.token);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  return { context, page };
}

describe.each([
  [1280, 'dark'],
  [360, 'light'],
] as const)('every page, %i px, %s', { timeout: 120_000 }, (width, colorScheme) => {
  test('is accessible, fits the screen, and violates no CSP', async () => {
    const { context, page } = await signedIn({ colorScheme, viewport: { width, height: 740 } });
    const complaints = listen(page);
    for (const [name, address] of Object.entries(addresses)) {
      await page.goto(stage.origin + address());
      await page.locator('#live-chip:not([data-state=live])').waitFor({ state: 'detached' });
      expect({ name, found: await accessibilityViolations(page) }).toEqual({ name, found: [] });
      expect([name, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([name, width]);
    }
    expect(complaints).toEqual([]);
    await context.close();
  });
});

test('the log-in is accessible, and shows an error after a wrong token', async () => {
  const context = await browser.newContext({ viewport: { width: 320, height: 640 } });
  const page = await context.newPage();
  await page.goto(`${stage.origin}/admin/log`);
  await page.getByLabel('Admin token').fill('wrong');
  await page.getByLabel('Admin token').press('Enter');
  await page.getByText('That is not the admin token').waitFor();
  expect(await accessibilityViolations(page)).toEqual([]);
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(320);
  await page.getByLabel('Admin token').fill(stage.token);
  await page.getByLabel('Admin token').press('Enter');
  await page.getByRole('heading', { name: 'Log', exact: true }).waitFor();
  await context.close();
});

test('nothing is wider than the smallest phone, and all tap targets are high enough', async () => {
  const { context, page } = await signedIn({ viewport: { width: 320, height: 640 } });
  for (const [name, address] of Object.entries(addresses)) {
    await page.goto(stage.origin + address());
    expect([name, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([name, 320]);
    expect([name, await smallTargets(page)]).toEqual([name, []]);
  }
  await context.close();
});

describe.each([1280, 360])('live numbers on a page of %i px', (width) => {
  test('change without moving the layout', { timeout: 90_000 }, async () => {
    const { context, page } = await signedIn({ viewport: { width, height: 900 } });
    await page.locator('#live-chip[data-state=live]').waitFor();
    await page.evaluate(observeShifts);
    // A problem or an order that comes or goes may take its room, also for a moment: then we look again.
    for (let tries = 0; tries < 10; tries++) {
      await page.evaluate(`window.lists = new Set([${listed}]); window.shifts.length = 0`);
      await changes(page, `#admin-package-${busy} [data-label=Confirmed]`);
      await page.waitForTimeout(3_000);
      if ((await page.evaluate('window.lists.size')) === 1) break;
    }
    expect(await page.evaluate('window.shifts')).toEqual([]);
    await context.close();
  });
});

/** What is listed besides packages. */
const listed = `document.getElementById('admin-problems').dataset.kinds + [
  ...document.querySelectorAll('#admin-concerns tr[id]')].map(({ id }) => id)`;

/** A figure that stands at the right begins further left when it gets another digit: that moves nothing. */
const observeShifts = `
  window.shifts = [];
  const moved = ({ node }) => (node?.nodeType === 1 ? node : node?.parentElement);
  new PerformanceObserver((list) => {
    const elements = list.getEntries().flatMap(({ sources }) => sources.map(moved));
    const others = elements.filter((element) => element && !element.closest('.figure, .spark-figure'));
    window.shifts.push(...others.map((element) => element.outerHTML.slice(0, 200)));
  }).observe({ type: 'layout-shift' });
  new MutationObserver(() => window.lists?.add(${listed})).observe(document.getElementById('main'), {
    attributes: true,
    childList: true,
    subtree: true,
  });`;

test('an update keeps the focus, and the keyboard reaches every action', async () => {
  const { context, page } = await signedIn({ viewport: { width: 1280, height: 900 } });
  await page.locator('#live-chip[data-state=live]').waitFor();
  const pause = page.getByRole('link', { name: `Pause package ${busy}` });
  await pause.focus();
  await changes(page, `#admin-package-${busy} .spark-cell`);
  expect(await page.evaluate('document.activeElement.textContent')).toBe(`Pause package ${busy}`);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: `Pause package ${busy}?` }).waitFor();
  await page.keyboard.press('Tab');
  await context.close();
});

test('the head of the table stays visible', async () => {
  const { context, page } = await signedIn({ viewport: { width: 1280, height: 420 } });
  await page.locator(`#admin-package-${adminFixtureIds.stuck}`).scrollIntoViewIfNeeded();
  await page.evaluate(`document.getElementById('admin-package-${adminFixtureIds.stuck}').scrollIntoView()`);
  const top = "document.querySelector('#admin-packages thead th').getBoundingClientRect().top";
  expect(await page.evaluate(top)).toBe(0);
  await context.close();
});

/** Waits until an element shows something else than it does now: nobody reloads it. */
async function changes(page: Page, selector: string): Promise<void> {
  const element = page.locator(selector);
  const before = await element.innerHTML();
  await vi.waitFor(async () => expect(await element.innerHTML()).not.toBe(before), { timeout: 10_000 });
}

/** What the browser has to complain about, a violated CSP above all. Pages about errors have their status. */
function listen(page: Page): string[] {
  const complaints: string[] = [];
  page.on('console', (message) => {
    const isStatus = /status of (404|422|409)/.test(message.text());
    if (['error', 'warning'].includes(message.type()) && !isStatus) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  return complaints;
}

/** What is to be tapped and is less than 48 px high; links in running text are exempt. */
function smallTargets(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(`
    [...document.querySelectorAll('button, select, input:not([type=hidden], [type=checkbox]), .check, nav a, .button, .small-button')]
      .filter((element) => element.checkVisibility() && element.offsetHeight < 48)
      .map((element) => element.outerHTML)`);
}
