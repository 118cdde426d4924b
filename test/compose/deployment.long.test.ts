import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { waitUntil } from '../support/buyers.ts';
import { type DockerEngine, findDockerEngine } from '../support/servers/docker-engine.ts';
import { Crowd } from './crowd.ts';
import { Stack } from './stack.ts';

/* The whole docker-compose.yml on a real Docker engine. The tests go on with the stack of the test before. */

const recoveryMs = 90_000;

let engine: DockerEngine | undefined;
let missing: string | undefined;
let stack: Stack;
let crowd: Crowd;
let packages: number[];

beforeAll(async () => {
  const found = await findDockerEngine();
  if ('missing' in found) {
    missing = found.missing;
    console.warn(`LEFT OUT: the tests of docker-compose.yml on a Docker engine. ${missing}`);
    return;
  }
  engine = found;
  stack = await Stack.create(engine);
  crowd = new Crowd(stack);
  await stack.up(3, { build: true });
  await ready(3);
  packages = await Promise.all(['One', 'Two', 'Three', 'Four'].map((flight) => stack.sell(flight, 100_000)));
  // Images may have to be made first.
}, 1_800_000);
beforeEach(({ skip }) => skip(missing !== undefined, missing));
afterAll(async () => {
  await crowd?.stop().catch(() => {});
  try {
    await stack?.remove();
  } finally {
    await engine?.[Symbol.asyncDispose]();
  }
});

/** Waits until customers have bought each package after now, in both ways. */
async function expectSales(): Promise<void> {
  const since = Date.now();
  for (const way of ['http', 'socket'] as const) {
    await waitUntil(`sales of each package by ${way}`, recoveryMs, async () =>
      crowd.hasSoldEach(packages, since, way),
    );
  }
}

/** Runs a change of the stack while customers buy, and accounts for all that they have bought. */
async function underLoad(change: () => Promise<void>): Promise<void> {
  crowd.start(packages);
  await expectSales();
  await change();
  await expectSales();
  await crowd.stop();
  await crowd.expectAllAccounted();
}

const ready = async (count: number) =>
  waitUntil(
    `${count} ready instances`,
    recoveryMs,
    async () => (await stack.readyVersions()).length === count,
  );

test('Q1 Q3 sells out through the proxy over HTTP and WebSocket', async () => {
  expect(await stack.instances()).toHaveLength(3);
  const few = await stack.sell('Few', 20);
  const buyers = Array.from({ length: 60 }, (_, index) =>
    crowd.buy(few, index % 2 === 0 ? 'http' : 'socket'),
  );
  await Promise.all(buyers);
  await underLoad(async () => {});
  expect(crowd.toldBySocket.size).toBeGreaterThan(20);
}, 600_000);

test('Q6 scales to five instances and back under load', async () => {
  await underLoad(async () => {
    await stack.up(5);
    await ready(5);
    await expectSales();
    await stack.up(3);
    await ready(3);
  });
}, 400_000);

test('Q6 Q7 loses an instance under load, and gets it back', async () => {
  await underLoad(async () => {
    const [first = ''] = await stack.instances();
    await stack.docker('kill', first);
    await ready(2);
    await expectSales();
    await stack.up(3);
    await ready(3);
  });
}, 400_000);

test('Q6 loses Redis under load, and gets it back', async () => {
  await underLoad(async () => {
    await stack.compose(['stop', 'redis']);
    await ready(0);
    await stack.compose(['start', 'redis']);
    await ready(3);
  });
}, 400_000);

test('Q6 Q12 is upgraded under load, one instance after the other', async () => {
  const version = '999.0.0';
  await stack.buildSecondRelease(version);
  const old = await stack.instances();
  await underLoad(async () => {
    stack.release = 'second';
    for (const id of old) {
      // Takes the new one in before the old one goes, and leaves the others alone.
      await stack.addInstance();
      await stack.docker('stop', id);
      await stack.docker('rm', id);
    }
    await ready(3);
    await vi.waitUntil(async () => (await stack.readyVersions()).every((each) => each === version));
  });
  expect((await stack.instances()).filter((id) => old.includes(id))).toEqual([]);
}, 600_000);

test('Q3 Q6 sells with ENGINE=queue and its consumer', async () => {
  await stack.up(3, { settings: { ENGINE: 'queue' }, profiles: ['queue'] });
  await underLoad(async () => {});
}, 400_000);

test('Q6 goes down and up again with its volumes', async () => {
  const before = await stack.orders();
  await stack.compose(['--profile', 'queue', 'down']);
  await stack.up(3);
  await ready(3);
  expect(await stack.orders()).toEqual(before);
  await underLoad(async () => {});
}, 400_000);
