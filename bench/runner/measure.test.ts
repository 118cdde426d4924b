import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { LoadCounts } from '../client/load-counts.ts';
import type { LoadResult, Testbed, WebhookCounts } from '../testbed.ts';
import { measure } from './measure.ts';

const profile = { hono: 0.5, 'Node.js': 0.25 };

/** A testbed whose processes each use as many cores as their id says. */
const testbed = {
  async cpuOf(pids: readonly number[], work: () => Promise<unknown>) {
    return { result: await work(), cores: pids.reduce((sum, pid) => sum + pid, 0) };
  },
  async profileOf(_pids: readonly number[], work: () => Promise<unknown>) {
    return { result: await work(), profile };
  },
} as unknown as Testbed;

const deployment = { pids: [0.5, 0.25], databasePids: [0.25] };
const context = { round: 1, parameters: {} };

function load(finishedInWindow: number): LoadResult {
  const counts = new LoadCounts();
  for (let sent = 0; sent < 4_000; sent++) counts.answered('201', 5);
  return { ...counts.result(2, 0.1), finishedInWindow };
}

it('divides the CPU time of servers and databases by the purchases that finish in the window', async () => {
  // 1 core for 2 s and 1,000 purchases. The requests of the window, of which most finish after it, do not count.
  const run = await measure(testbed, deployment, context, async () => load(1_000));
  expect(run.figures).toEqual({ finished: 2_000, costPerPurchaseUs: 2_000 });
  expect(run.cpu).toEqual({ client: 0.1, server: 0.75, databases: 0.25 });
  expect(run.profile).toEqual(profile);
});

it('tells how many webhooks were delivered during the load, and how many are owed at its end', async () => {
  const counts = [
    { delivered: 40, owed: 2 },
    { delivered: 140, owed: 3_900 },
  ];
  const webhooks = async () => counts.shift() as WebhookCounts;
  const result = load(1_000);
  const startedAt = performance.now();
  let loadMs = 0;
  const run = await measure(testbed, { ...deployment, webhooks }, context, async () => {
    const from = performance.now();
    await sleep(20);
    loadMs = performance.now() - from;
    return result;
  });
  const { webhooksPerSecond = 0, webhooksOwed } = run.figures;
  expect(webhooksOwed).toBe(3_900);
  const countedMs = (100 / webhooksPerSecond) * 1_000;
  expect(countedMs).toBeGreaterThan(loadMs * 0.999);
  expect(countedMs).toBeLessThan(performance.now() - startedAt);
});

it('tells no cost where nothing finishes, or nothing is known of the processes', async () => {
  const none = await measure(testbed, deployment, context, async () => load(0));
  expect(none.figures).not.toHaveProperty('costPerPurchaseUs');
  const unknown = { pids: [], databasePids: [] };
  const run = await measure(testbed, unknown, context, async () => load(1_000));
  expect(run.figures).not.toHaveProperty('costPerPurchaseUs');
});
