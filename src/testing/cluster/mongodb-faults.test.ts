import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { type Cluster, type ClusterInstance, startCluster } from '../support/cluster.ts';
import { attempt, type Crowd, until } from '../support/crowd.ts';
import { expectPatientAnswers, expectRecovery, isReady, startFaultSale } from '../support/faults.ts';
import { onSale } from '../support/server.ts';

/** Elections, and the driver's noticing, take their time. */
vi.setConfig({ testTimeout: 90_000 });

const packages = 3;
let cluster: Cluster;
let crowd: Crowd;
/** Nobody is sent there any more. */
let leaving: ClusterInstance | undefined;

beforeAll(async () => {
  cluster = await startCluster({
    instances: 3,
    members: 3,
    packages: Array.from({ length: packages }, (_, index) => onSale({ id: index + 1, quota: 20_000 })),
    settings: { LEASE_TTL_MS: '2000', RATE_LIMIT: 'off', FLIGHT_FAILURE_RATE: '0.2' },
  });
});
afterAll(() => cluster?.end());

beforeEach(async () => {
  crowd = await startFaultSale({ cluster, packages, atOnce: 20, leaving: () => leaving });
});
afterEach(async () => {
  await crowd.stop();
});

const recovered = () => expectRecovery(cluster, crowd, packages, 30_000);

it('Q3 Q6 Q7 Q8 the primary of MongoDB steps down under load: nothing is lost', async () => {
  await cluster.mongo.stepDown();
  await recovered();
});

it('Q3 Q6 Q7 Q8 the primary of MongoDB is killed under load: nothing is lost', async () => {
  const primary = await cluster.mongo.primary();
  await cluster.mongo.kill(primary);
  await recovered();
  await cluster.mongo.restart(primary);
});

it('Q3 Q6 Q7 Q8 all of MongoDB goes away under load, also at a start: everybody is told to come back, /readyz says so', async () => {
  await cluster.mongo.primary();
  for (const member of [0, 1, 2]) await cluster.mongo.kill(member);
  await until('/readyz to say so', 15_000, async () => {
    const answers = await Promise.all(cluster.origins.map((origin) => fetch(`${origin}/readyz`)));
    const texts = await Promise.all(answers.map((answer) => answer.text()));
    return answers.every(({ status }) => status === 503) && texts.every((text) => /store|MongoDB/.test(text));
  });
  const [last] = cluster.instances.slice(-1);
  leaving = last;
  expect(await last?.terminate()).toBe(0);
  await last?.restart();
  const early = await attempt(last?.origin as string, {
    packageId: 1,
    email: 'early@example.com',
    key: 'early',
  });
  expect(early.answer?.status).toBe(503);
  expectPatientAnswers([early]);
  for (const member of [0, 1, 2]) await cluster.mongo.restart(member);
  await until('the new one to be ready', 30_000, () => isReady(last?.origin as string));
  leaving = undefined;
  await recovered();
});
