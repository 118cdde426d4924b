import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { buy } from '../support/api-client.ts';
import { breakableNetwork } from '../support/breakable-network.ts';
import { type ManualSupplier, startManualSupplier } from '../support/manual-supplier.ts';
import { onSale, startServer, type TestServer } from '../support/server.ts';
import { type Chromium, launchChromium } from '../support/servers/chromium.ts';

const token = 'a-token-for-operators-only';

let browser: Chromium;
let supplier: ManualSupplier;
let server: TestServer;
const contexts: BrowserContext[] = [];

beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser?.close());

beforeEach(async () => {
  supplier = await startManualSupplier();
  const settings = { SUPPLIERS_URL: supplier.url, SUPPLIER_TIMEOUT_MS: '60000', ADMIN_TOKEN: token };
  server = await startServer({ settings, packages: [onSale({ id: 1, quota: 5 })] });
});
afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close();
  await server?.stop();
  await supplier?.stop();
});

/** A page of somebody with a browser of its own. */
async function visit(path: string, javaScriptEnabled = true, origin = server.origin): Promise<Page> {
  const context = await browser.newContext({ javaScriptEnabled });
  contexts.push(context);
  const page = await context.newPage();
  await page.goto(origin + path);
  return page;
}

async function logIn(page: Page): Promise<void> {
  await page.getByLabel('Admin token').fill(token);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
}

/** A mark that a reload would take away. */
const mark = (page: Page) => page.evaluate("document.documentElement.dataset.neverReloaded = 'yes'");
const wasNeverReloaded = (page: Page) =>
  page.evaluate("document.documentElement.dataset.neverReloaded === 'yes'");

/** Waits until a package's row says so: nobody reloads it. */
async function row(page: Page, id: number, inventory: Readonly<Record<string, string>>): Promise<void> {
  await vi.waitFor(
    async () => {
      const cells = page.locator(`#admin-package-${id} td[data-label]`);
      const shown = await cells.evaluateAll((all) =>
        all.map((each) => [each.getAttribute('data-label'), each.textContent] as const),
      );
      expect(Object.fromEntries(shown)).toMatchObject(inventory);
    },
    { timeout: 10_000, interval: 100 },
  );
}

/** Orders at the page that answers at once; the buyer's flight waits for the test. */
async function order(email: string, id: number): Promise<Page> {
  supplier.hold(email);
  const page = await visit(`/order-queue?package=${id}`);
  await page.getByLabel('Your email').fill(email);
  await page.locator('#buy').click();
  return page;
}

const says = (page: Page, text: string | RegExp) => page.getByText(text).first().waitFor({ timeout: 10_000 });

test('an operator logs in, creates a package, watches its sale live, raises, pauses, resumes and logs out', async () => {
  const admin = await visit('/admin');
  await logIn(admin);

  await admin.getByRole('link', { name: 'New package' }).click();
  await admin.getByLabel('Quota').fill('1');
  await admin.getByLabel('Flight').fill('Flight-7');
  await admin.getByLabel('Night of the stay').fill('2030-08-09');
  await admin.getByLabel('Price in USD').fill('120');
  await admin.getByRole('button', { name: 'Create package' }).click();
  await says(admin, 'Package 2 is created.');
  await admin.getByRole('link', { name: 'Overview' }).click();
  await admin.locator('#live-chip[data-state=live]').waitFor();
  await mark(admin);
  await row(admin, 2, { Quota: '1', Left: '1', Held: '0', Confirmed: '0', Waiting: '0' });

  const ana = await order('ana@example.com', 2);
  await says(ana, 'Asking the airline');
  await row(admin, 2, { Left: '0', Held: '1' });
  const ben = await order('ben@example.com', 2);
  await says(ben, 'Your position in the queue');
  await row(admin, 2, { Held: '1', Waiting: '1' });
  expect(await wasNeverReloaded(admin)).toBe(true);

  await admin.getByRole('link', { name: 'Flight-7' }).click();
  await admin.getByLabel('Places on sale in total').fill('2');
  await admin.getByRole('button', { name: 'Show the effect' }).click();
  await says(admin, '1 of 1 in the queue gets a place at once');
  await admin.getByRole('button', { name: 'Raise to 2' }).click();
  await says(admin, 'The quota of package 2 is now 2; it was 1.');
  await says(ben, 'Asking the airline');
  await row(admin, 2, { Quota: '2', Held: '2', Waiting: '0' });

  const cleo = await order('cleo@example.com', 2);
  await says(cleo, 'Your position in the queue');
  await admin.getByRole('link', { name: 'Pause package 2' }).click();
  await says(admin, '1 in the queue keeps the position.');
  await admin.getByRole('button', { name: 'Pause package 2' }).click();
  await says(admin, 'Package 2 is paused.');
  await says(admin, 'Package 2 is paused with people waiting');

  const dan = await visit('/order-queue?package=2');
  await says(dan, 'Paused');
  const answer = await fetch(`${server.origin}/api/orders`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ packageId: 2, email: 'dan@example.com' }),
  });
  expect([answer.status, await answer.json()]).toMatchObject([503, { code: 'paused' }]);
  supplier.release('ana@example.com', 'no seat');
  await says(ana, 'The airline had no seat');
  await row(admin, 2, { Left: '1', Held: '1', Waiting: '1' });
  expect(await cleo.locator('#place').textContent()).toBe('1');

  await admin.getByRole('button', { name: 'Resume package 2' }).click();
  await says(admin, 'Package 2 is on sale again.');
  await says(cleo, 'Asking the airline');
  await admin.locator('#live-chip[data-state=live]').waitFor();
  await mark(admin);
  supplier.release('ben@example.com', 'seat');
  supplier.release('cleo@example.com', 'seat');
  await says(cleo, 'Your trip is booked');
  await row(admin, 2, { Left: '0', Held: '0', Confirmed: '2', Waiting: '0' });
  await says(admin, 'Sold out');
  expect(await wasNeverReloaded(admin)).toBe(true);

  const log = await admin.locator('#admin-log').textContent();
  for (const done of ['Resumed a package', 'Paused a package', 'Created a package']) {
    expect(log).toContain(done);
  }
  await admin.getByRole('button', { name: 'Log out' }).click();
  await admin.getByLabel('Admin token').waitFor();
  await admin.goto(`${server.origin}/admin/log`);
  await says(admin, 'Log in to see this page.');
});

test('a live page goes to the log-in when its session is revoked elsewhere', async () => {
  const one = await visit('/admin');
  await logIn(one);
  await one.locator('#live-chip[data-state=live]').waitFor();
  const two = await one.context().newPage();
  await two.goto(`${server.origin}/admin/log`);
  await two.getByRole('button', { name: 'Log out' }).click();
  await one.getByLabel('Admin token').waitFor({ timeout: 15_000 });
});

test('everything works without JavaScript', async () => {
  const admin = await visit('/admin', false);
  await admin.getByLabel('Admin token').fill('not the token');
  await admin.getByRole('button', { name: 'Log in' }).click();
  await says(admin, 'That is not the admin token of this server.');
  await logIn(admin);
  await admin.getByRole('link', { name: 'Pause package 1' }).click();
  await admin.getByRole('button', { name: 'Pause package 1' }).click();
  await says(admin, 'Package 1 is paused.');
  await admin.getByRole('button', { name: 'Resume package 1' }).click();
  await says(admin, 'Package 1 is on sale again.');
  await admin.getByRole('link', { name: 'Flight-1' }).click();
  await admin.getByLabel('Sale closes').fill('2020-01-01T00:00');
  await admin.getByRole('button', { name: 'Save' }).click();
  await says(admin, 'the sale closes at once');
  await admin.getByRole('button', { name: 'Save and end the sale' }).click();
  await says(admin, 'Package 1 is saved. Changed: closing.');
  await says(admin, 'Closed');
});

test('of two operators who change the same quota, the second sees the change of the first and is asked again', async () => {
  const [first, second] = [await visit('/admin'), await visit('/admin')];
  for (const page of [first, second]) {
    await logIn(page);
    await page.goto(`${server.origin}/admin/packages/1/quota?quota=${page === first ? 8 : 9}`);
  }
  await first.getByRole('button', { name: 'Raise to 8' }).click();
  await says(first, 'The quota of package 1 is now 8');
  await second.getByRole('button', { name: 'Raise to 9' }).click();
  await says(second, 'its quota is now 8');
  await second.getByRole('heading', { name: 'from 8 to 9' }).waitFor();
  await second.getByRole('button', { name: 'Raise to 9' }).click();
  await says(second, 'The quota of package 1 is now 9; it was 8.');
});

test('the page polls if it cannot open a socket', async () => {
  const network = await breakableNetwork(server.origin);
  try {
    network.refuseSockets();
    const admin = await visit('/admin', true, network.origin);
    await logIn(admin);
    await mark(admin);
    await buy(server.origin, 1, { email: 'ana@example.com' });
    await row(admin, 1, { Left: '4', Confirmed: '1' });
    expect(await wasNeverReloaded(admin)).toBe(true);
  } finally {
    await network.close();
  }
});
