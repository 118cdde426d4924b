import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { type Cluster, type ClusterInstance, startCluster } from '../support/cluster.ts';
import { attempt, type Crowd, isAccepted, until } from '../support/crowd.ts';
import { expectPatientAnswers, expectRecovery, lookUpAnything, startFaultSale } from '../support/faults.ts';
import { onSale } from '../support/server.ts';

const packages = 6;
let cluster: Cluster;
let crowd: Crowd;
/** Nobody is sent there any more. */
let leaving: ClusterInstance | undefined;

beforeAll(async () => {
  cluster = await startCluster({
    instances: 3,
    packages: Array.from({ length: packages }, (_, index) => onSale({ id: index + 1, quota: 20_000 })),
    settings: { LEASE_TTL_MS: '2000', RATE_LIMIT: 'off', FLIGHT_FAILURE_RATE: '0.2' },
  });
});
afterAll(() => cluster?.end());

beforeEach(async () => {
  crowd = await startFaultSale({ cluster, packages, atOnce: 30, leaving: () => leaving });
});
afterEach(async () => {
  await crowd.stop();
});

const recovered = () => expectRecovery(cluster, crowd, packages, 15_000);

it('Q3 Q6 Q7 Q8 Redis is wiped under load: nothing is lost', async () => {
  for (let times = 0; times < 3; times++) {
    await cluster.redis.flush();
    await sleep(700);
  }
  await recovered();
});

it('Q3 Q6 Q7 Q8 Redis is restarted, empty, under load: nothing is lost', async () => {
  await cluster.redis.restart(1_000);
  await recovered();
});

it('Q3 Q6 Q7 Q8 Redis hangs for 8 s under load: purchases succeed or are told to come back, look-ups go on, /readyz says so', async () => {
  const accepted = crowd.history.find(isAccepted);
  const paused = cluster.redis.pause(8_000);
  await until('/readyz to say so', 6_000, async () => {
    const answers = await Promise.all(cluster.origins.map((origin) => fetch(`${origin}/readyz`)));
    const texts = await Promise.all(answers.map((answer) => answer.text()));
    return answers.every(({ status }) => status === 503) && texts.every((text) => text.includes('Redis'));
  });
  for (const origin of cluster.origins) await lookUpAnything(origin, accepted);
  await paused;
  await recovered();
});

it('an instance that starts while Redis is away says so, and sells once it is there', async () => {
  const [instance] = cluster.instances;
  leaving = instance;
  expect(await instance?.terminate()).toBe(0);
  await cluster.redis.kill();
  await instance?.restart();
  leaving = undefined;
  const origin = instance?.origin as string;
  const readyz = await fetch(`${origin}/readyz`);
  expect([readyz.status, await readyz.text()]).toEqual([503, expect.stringContaining('Redis')]);
  const early = await attempt(origin, { packageId: 1, email: 'early@example.com', key: 'early' });
  expectPatientAnswers([early]);
  await lookUpAnything(origin, crowd.history.find(isAccepted));
  await cluster.redis.restart();
  await recovered();
});
