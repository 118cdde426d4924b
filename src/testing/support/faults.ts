import { expect } from 'vitest';
import type { Cluster, ClusterInstance } from './cluster.ts';
import {
  type Attempt,
  type Crowd,
  checkHistory,
  expectCleanAudit,
  isAccepted,
  settled,
  startCrowd,
  until,
} from './crowd.ts';

export async function isReady(origin: string): Promise<boolean> {
  return fetch(`${origin}/readyz`).then(
    async (answer) => {
      await answer.body?.cancel();
      return answer.ok;
    },
    () => false,
  );
}

const definite = [201, 202, 502, 409];

/** While something is missing, purchases succeed, or get a problem that says when to come back. */
export function expectPatientAnswers(history: readonly Attempt[]): void {
  const others = history.filter(({ answer }) => answer !== undefined && !definite.includes(answer.status));
  for (const { answer } of others) {
    expect(answer).toMatchObject({
      status: 503,
      contentType: 'application/problem+json',
      retryAfter: expect.stringMatching(/^\d+$/),
      code: expect.stringMatching(/^(overloaded|no_owner|store_unavailable|not_ready)$/),
    });
  }
  const silent = history.filter(({ answer }) => answer === undefined);
  expect(silent).toEqual([]);
}

/** Orders and packages can be seen. */
export async function lookUpAnything(origin: string, accepted: Attempt | undefined): Promise<void> {
  const { order } = accepted?.answer ?? {};
  const email = encodeURIComponent(order?.email ?? '');
  const found = await fetch(`${origin}/api/orders/${order?.id}?email=${email}`);
  expect([found.status, ((await found.json()) as { id?: string }).id]).toEqual([200, order?.id]);
  const packages = await fetch(`${origin}/api/packages`);
  expect(packages.status).toBe(200);
  await packages.body?.cancel();
}

export interface FaultSale {
  readonly cluster: Cluster;
  /** Packages 1 to so many are on sale. */
  readonly packages: number;
  readonly atOnce: number;
  /** Whom nobody is sent to any more, if anybody. */
  readonly leaving: () => ClusterInstance | undefined;
}

/** Buyers of every package at every instance, over and over; resolves when some have bought. */
export async function startFaultSale({ cluster, packages, atOnce, leaving }: FaultSale): Promise<Crowd> {
  const crowd = startCrowd({
    origins: () => cluster.instances.filter((each) => each !== leaving()).map(({ origin }) => origin),
    packageOf: (nth) => (Math.floor(nth / 3) % packages) + 1,
    atOnce,
    pauseMs: 50,
  });
  await until('some sales', 20_000, async () => crowd.history.filter(isAccepted).length > 100);
  return crowd;
}

/** Every instance sells every package again by itself, within the patience for each; and nothing was lost. */
export async function expectRecovery(cluster: Cluster, crowd: Crowd, packages: number, patienceMs: number) {
  const mendedAt = Date.now();
  await until('every instance to be ready', patienceMs, async () =>
    (await Promise.all(cluster.origins.map(isReady))).every(Boolean),
  );
  await until('sales of every package at every instance', patienceMs, async () => {
    const since = crowd.history.filter((each) => each.sentAt > mendedAt && isAccepted(each));
    const pairs = new Set(since.map(({ packageId, origin }) => `${packageId} ${origin}`));
    return pairs.size === packages * cluster.origins.length;
  });
  const history = await crowd.stop();
  await settled(cluster);
  expectPatientAnswers(history);
  await checkHistory(cluster, history);
  await expectCleanAudit(cluster);
}
