import { expect, test } from 'vitest';
import { startCluster } from '../support/cluster.ts';
import { startNodeProcess } from '../support/node-process.ts';

test('an instance with the INSTANCE_ID of a running one does not start; after a crash the same id starts soon', async () => {
  await using cluster = await startCluster({ instances: 1 });
  const [first] = cluster.instances;
  const settings = {
    ...{ HOST: '127.0.0.1', PORT: '0', INSTANCE_ID: 'instance-1' },
    ...{ DATABASE_URL: cluster.mongo.url, REDIS_URL: cluster.redis.url, SUPPLIERS_URL: cluster.suppliersUrl },
  };
  const second = startNodeProcess({ program: 'src/start.mjs', settings, ready: /listens on http:\S+/ });
  await expect(second).rejects.toThrow(
    'cannot start: another running instance has the INSTANCE_ID instance-1: each instance needs its own',
  );
  expect((await fetch(`${first?.origin}/readyz`)).status).toBe(200);
  await first?.kill();
  await first?.restart();
  await expect.poll(async () => (await fetch(`${first?.origin}/readyz`)).status).toBe(200);
});
