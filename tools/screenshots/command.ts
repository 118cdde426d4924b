import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { type OptionValues, runCommand, text } from '../../src/lib/command-line.ts';
import { adminFixtureIds } from '../../test/support/admin-fixture.ts';
import { type PagesFixture, startPagesFixture } from '../../test/support/pages-fixture.ts';
import { launchChromium } from '../../test/support/servers/chromium.ts';
import { smallPng } from './small-png.ts';

const options = {
  out: text('folder', 'The folder for the pictures.', 'public/screenshots'),
  only: text('name', 'Only pictures with this in their name.', ''),
};

const command = {
  name: 'npm run screenshots',
  about:
    'Takes a picture of every page in every state, at 360 and 1280 px, light and dark, from a server of its own.\n' +
    'Exits 0 when they are taken, 2 when that was not possible.',
  options,
};

const looks = [360, 1280].flatMap((width) =>
  (['light', 'dark'] as const).map((colorScheme) => ({ width, colorScheme })),
);

/** Submits the order form without its client-side checks, like a browser without JavaScript. */
const submitWith = (packageId: number) =>
  `const choice = document.getElementById('package-${packageId}');
   choice.disabled = false;
   choice.checked = true;
   choice.form.submit();`;

/** Brings the page into the state for the picture. */
type Scene = (page: Page, stage: PagesFixture) => Promise<unknown>;

/** Logs in as an operator and opens this path. */
const forOperators =
  (path: string): Scene =>
  async (page, stage) => {
    const { origin, token } = await stage.admin();
    await page.goto(`${origin}${path}`);
    await page.getByLabel('Admin token').fill(token);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByLabel('Admin token').waitFor({ state: 'detached' });
  };

const scenes: Readonly<Record<string, Scene>> = {
  'order-not-open': (page, { notOpenOrigin }) => page.goto(`${notOpenOrigin}/order`),
  order: async (page, { origin }) => {
    await page.goto(`${origin}/order`);
    await page.getByRole('radio', { name: /Flight-3.*10 Aug/ }).check();
    await page.getByLabel('Your email').fill('ana@example.com');
    await page.evaluate('document.activeElement.blur(), scrollTo(0, 0)');
  },
  'order-invalid': async (page, { origin }) => {
    await page.goto(`${origin}/order-queue?package=3`);
    await page.getByLabel('Your email').fill('ana@example');
    await page.evaluate(submitWith(3));
    await page.locator('#alert').waitFor();
  },
  queue: (page, { links }) => page.goto(links.queue),
  pending: (page, { links }) => page.goto(links.pending),
  payable: (page, { links }) => page.goto(links.payable),
  checkout: async (page, { links }) => {
    await page.goto(links.payable);
    await page.getByRole('link', { name: 'Pay now' }).click();
    await page.getByRole('heading', { name: 'Simulated payment' }).waitFor();
  },
  confirmed: (page, { links }) => page.goto(links.confirmed),
  failed: (page, { links }) => page.goto(links.failed),
  cancelled: (page, { links }) => page.goto(links.cancelled),
  query: (page, { origin }) => page.goto(`${origin}/query`),
  'query-miss': async (page, { origin }) => {
    await page.goto(`${origin}/query`);
    await page.getByLabel('Order number').fill('7Q4M-9XKD-2VBN-H5TR');
    await page.getByLabel('Email').fill('ana@example.com');
    await page.getByRole('button', { name: 'Show the order' }).click();
    await page.locator('#alert').waitFor();
  },
  recent: async (page, { origin, links }) => {
    for (const link of Object.values(links)) await page.goto(link);
    await page.goto(`${origin}/query`);
  },
  miss: (page, { origin }) => page.goto(`${origin}/orders/7Q4M-9XKD-2VBN-H5TR`),
  'admin-log-in': async (page, stage) => page.goto(`${(await stage.admin()).origin}/admin`),
  admin: forOperators('/admin'),
  'admin-package': forOperators(`/admin/packages/${adminFixtureIds.busy}`),
  'admin-confirm': forOperators(`/admin/packages/${adminFixtureIds.selling}/quota?quota=400`),
  // Last, because it sells the package that other scenes show.
  'order-sold-out': async (page, { origin, sellOut }) => {
    await page.goto(`${origin}/order`);
    await page.getByLabel('Your email').fill('fay@example.com');
    await sellOut(1);
    await page.evaluate(submitWith(1));
    await page.getByText('Still on sale').waitFor();
  },
};

async function take({ out, only }: OptionValues<typeof options>): Promise<number> {
  await mkdir(out, { recursive: true });
  await using stage = await startPagesFixture();
  await using browser = await launchChromium({ reducedMotion: 'reduce' });
  let bytes = 0;
  for (const [name, scene] of Object.entries(scenes).filter(([name]) => name.includes(only))) {
    for (const { width, colorScheme } of looks) {
      const height = width === 360 ? 780 : 860;
      const context = await browser.newContext({ viewport: { width, height }, colorScheme });
      const page = await context.newPage();
      await scene(page, stage);
      await page.locator('#live-chip:not([data-state=live])').waitFor({ state: 'detached' });
      await page.mouse.move(0, 0);
      const path = join(out, `${name}-${width}-${colorScheme}.png`);
      const picture = smallPng(await page.screenshot());
      await writeFile(path, picture);
      bytes += picture.length;
      await context.close();
    }
  }
  console.log(`The pictures are in ${out}: ${Math.round(bytes / 1024)} kB.`);
  return 0;
}

await runCommand(command, take);
