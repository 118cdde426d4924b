import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApp } from '../../src/compose/app.ts';
import { createServer } from '../../src/http/server/server.ts';
import { systemClock as clock } from '../../src/lib/clock.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { silentLog } from '../../src/observability/log.ts';
import { localLiveBus } from '../../src/realtime/live-bus.ts';
import { accessibilityViolations } from '../support/accessibility.ts';
import {
  fakeActivity,
  fakeAdmin,
  fakeAuth,
  fakeInstance,
  fakeLost,
  fakeStatus,
} from '../support/fake-admin.ts';
import { fakeEngine } from '../support/fake-engine.ts';
import { type Chromium, launchChromium } from '../support/servers/chromium.ts';

/* Figures as large as a sale has them: none of them is broken in two, and nothing leaves the screen. */

const large = { remaining: 0, held: 10_000, confirmed: 990_000, waiting: 123_456, nextNumber: 9 };
const service = fakeAdmin({
  packages: [
    fakeStatus({ quota: 1_000_000, price: 1_250_000 }, large, { activity: fakeActivity(10_240) }),
    fakeStatus(
      { id: 2, flight: 'BA 117 London – New York', quota: 10_000, listed: false },
      { remaining: 10_000 },
    ),
    fakeStatus({ id: 3, archived: true }, { nextNumber: 9 }, { obstacle: 'sale_closed' }),
  ],
  instances: [
    fakeInstance('instance-1', {
      load: {
        ...{ packages: 10_000, mailbox: 12_345, sagas: 10_000, sockets: 10_000, purchasesPerS: 10_240 },
        ...{ eventLoopLagMs: 1_240, rssBytes: 1_840_000_000 },
      },
      failing: [
        {
          supplier: 'flights',
          packages: 1,
          firstPackages: [123_456_789_012_345],
          since: clock.now() - 240_000,
        },
        {
          supplier: 'hotels',
          packages: 123_456,
          firstPackages: [1, 2, 3, 4, 5, 6],
          since: clock.now() - 8_000,
        },
      ],
    }),
    fakeLost('instance-2', { packages: 1_234, unowned: 234 }),
  ],
});
const paths = [
  '/admin',
  '/admin/packages/1',
  '/admin/packages/2',
  '/admin/packages/archived',
  '/admin/packages/3',
];

let server: Server;
let browser: Chromium;

beforeAll(async () => {
  const { app, live } = createApp({
    ...{ engine: fakeEngine(), liveBus: localLiveBus(), suppliers: {} as never, clock, log: silentLog },
    ...{ random: systemRandom(), settings: { instanceId: 'a', secret: 's'.repeat(32), currency: 'USD' } },
    admin: { service, auth: fakeAuth() },
  });
  server = createServer(app, silentLog);
  live.attach(server);
  await new Promise<void>((go) => server.listen(0, '127.0.0.1', () => go()));
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  server?.closeAllConnections();
  server?.close();
});

/** Figures whose characters stand in more than one line, and how far the page is wider than the screen. */
const look = `(() => {
  const broken = [];
  const texts = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const node = texts.currentNode;
    for (const { 0: figure, index } of node.data.matchAll(/[\\d,.]{4,}/g)) {
      const range = document.createRange();
      range.setStart(node, index);
      range.setEnd(node, index + figure.length);
      const lines = new Set([...range.getClientRects()].map(({ top }) => Math.round(top)));
      if (lines.size > 1) broken.push(figure);
    }
  }
  return { broken, over: document.documentElement.scrollWidth - innerWidth };
})()`;

test.each([360, 1280])('numbers do not break at %i px', async (width) => {
  const context = await browser.newContext({ viewport: { width, height: 800 } });
  const page = await context.newPage();
  const { port } = server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;
  await page.goto(`${origin}/admin`);
  await page.getByLabel('Admin token').fill('open-sesame');
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  for (const path of paths) {
    await page.goto(origin + path);
    expect({ path, ...(await page.evaluate<object>(look)) }).toEqual({ path, broken: [], over: 0 });
    expect({ path, found: await accessibilityViolations(page) }).toEqual({ path, found: [] });
  }
  await context.close();
});
