import type { Page } from 'playwright-core';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Balancer, startBalancer } from '../../tools/cluster/balancer.ts';
import {
  checkHistory,
  countAnswers,
  expectCleanAudit,
  isAccepted,
  startBuyers,
  waitUntil,
  waitUntilSettled,
} from '../support/buyers.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { onSale } from '../support/server.ts';
import { type Chromium, launchChromium } from '../support/servers/chromium.ts';

const token = 'a-token-for-operators-only';
const soldFirst = [1, 2, 3, 4];

let cluster: Cluster;
let balancer: Balancer;
let browser: Chromium;

beforeEach(async () => {
  cluster = await startCluster({
    instances: 2,
    packages: soldFirst.map((id) => onSale({ id, quota: 20_000 })),
    settings: { ADMIN_TOKEN: token, RATE_LIMIT: 'off', FLIGHT_FAILURE_RATE: '0.1', LOG_LEVEL: 'info' },
  });
  balancer = await startBalancer({ origins: cluster.origins, port: 0, host: '127.0.0.1' });
  browser = await launchChromium();
});
afterEach(async () => {
  await browser?.close();
  await balancer?.close();
  await cluster?.end();
});

async function open(path: string): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  await page.goto(balancer.origin + path);
  return page;
}

/** Sets a mark in the page that a reload would remove. */
const mark = (page: Page) => page.evaluate("document.documentElement.dataset.neverReloaded = 'yes'");
const wasNeverReloaded = (page: Page) =>
  page.evaluate<boolean>("document.documentElement.dataset.neverReloaded === 'yes'");
const isLive = (page: Page) => page.locator('#live-chip[data-state=live]').waitFor({ timeout: 20_000 });

/** The owners of the packages that the page shows now, without a reload. */
const owners = (page: Page) => page.locator('#admin-packages .owner-name').allTextContents();

interface Meanwhile {
  onSale(id: number): void;
  whilePaused(): Promise<unknown>;
}

/** Creates a package beside the sale, raises its quota, pauses and resumes it: what the page says of each. */
async function manageOnPages(admin: Page, meanwhile: Meanwhile): Promise<void> {
  const says = (text: string) => admin.getByText(text).first().waitFor({ timeout: 20_000 });
  const row = admin.locator('#admin-package-5');
  await admin.getByRole('link', { name: 'New package' }).click();
  for (const [label, value] of [
    ['Quota', '900'],
    ['Flight', 'Flight-55'],
    ['Night of the stay', '2030-08-09'],
    ['Price in USD', '120'],
  ] as const) {
    await admin.getByLabel(label).fill(value);
  }
  await admin.getByRole('button', { name: 'Create package' }).click();
  await says('Package 5 is created.');
  meanwhile.onSale(5);
  await admin.getByRole('link', { name: 'Overview' }).click();
  await isLive(admin);
  await waitUntil('a live sale of it', 20_000, async () => {
    const confirmed = await row.locator('[data-label=Confirmed]').textContent();
    return Number(confirmed) > 3;
  });

  await admin.getByRole('link', { name: 'Flight-55' }).click();
  await admin.getByLabel('Places on sale in total').fill('20000');
  await admin.getByRole('button', { name: 'Show the effect' }).click();
  await says('Raising to 20,000');
  await admin.getByRole('button', { name: 'Raise to 20,000' }).click();
  await says('The quota of package 5 is now 20,000; it was 900.');

  await admin.getByRole('link', { name: 'Pause package 5' }).click();
  await says('From now on, purchases are refused with 503 “paused”.');
  await admin.getByRole('button', { name: 'Pause package 5' }).click();
  await says('Package 5 is paused.');
  await meanwhile.whilePaused();
  await admin.getByRole('button', { name: 'Resume package 5' }).click();
  await says('Package 5 is on sale again.');
  await isLive(admin);
}

it('Q6 Q8 an operator creates, updates, pauses and drains on the pages during a sale, and nothing is lost', async () => {
  const ids = [...soldFirst];
  const crowd = startBuyers({
    origins: () => [balancer.origin],
    packageOf: (nth) => ids[nth % ids.length] as number,
    concurrency: 10,
    pauseMs: 20,
  });
  await waitUntil('some sales', 20_000, async () => crowd.history.filter(isAccepted).length > 50);

  const admin = await open('/admin');
  await admin.getByLabel('Admin token').fill(token);
  await admin.getByRole('button', { name: 'Log in' }).click();
  await isLive(admin);
  await manageOnPages(admin, {
    onSale: (id) => ids.push(id),
    whilePaused: () =>
      waitUntil(
        'a purchase that meets the pause',
        10_000,
        async () => '503 paused' in countAnswers(crowd.history),
      ),
  });
  await waitUntil(
    'an owner of each package',
    20_000,
    async () => (await owners(admin)).length === ids.length,
  );
  const customer = await open('/order');
  await isLive(customer);
  await mark(customer);

  const leaving = await cluster.ownerOf(1);
  const staying = cluster.instances.find((each) => each !== leaving);
  if (leaving === undefined || staying === undefined) throw new Error('package 1 has no owner');
  await admin.getByRole('link', { name: `Drain ${leaving.id}` }).click();
  const effect = admin.getByText(
    new RegExp(`${leaving.id} hands over \\d packages? to 1 other; \\d+ viewers? reconnects?\\.`),
  );
  await effect.waitFor();
  await admin.getByRole('button', { name: `Drain ${leaving.id}` }).click();
  await admin.getByText(`${leaving.id} is draining.`).first().waitFor();
  const drainedAt = Date.now();

  await admin.goto(`${balancer.origin}/admin`);
  await isLive(admin);
  await mark(admin);
  await waitUntil('the other as the owner of every package', 20_000, async () =>
    (await owners(admin)).every((owner) => owner === staying.id),
  );
  expect(await leaving.ended).toBe(0);
  await waitUntil('one instance on the page', 20_000, async () => {
    const rows = await admin.locator('#admin-instances .row-name').allTextContents();
    return rows.length === 1 && rows[0] === staying.id;
  });
  await isLive(admin);
  await isLive(customer);
  expect(await wasNeverReloaded(admin)).toBe(true);
  expect(await wasNeverReloaded(customer)).toBe(true);
  await waitUntil('a sale after it', 10_000, async () =>
    crowd.history.some((each) => each.sentAt > drainedAt && isAccepted(each)),
  );

  const history = await crowd.stop();
  const usual = ['201', '202', '502 supplier_failed', '503 paused'];
  expect(Object.keys(countAnswers(history)).filter((name) => !usual.includes(name))).toEqual([]);
  await waitUntilSettled(cluster);
  await checkHistory(cluster, history);
  await expectCleanAudit(cluster);
  await admin.locator('#admin-log').getByText('Drained an instance').waitFor();
});
