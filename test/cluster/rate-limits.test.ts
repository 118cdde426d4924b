import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../support/cluster.ts';

const limit = 200;
let cluster: Cluster;

beforeAll(async () => {
  const settings = { RATE_LIMIT: 'on', RATE_LIMIT_LOOKUPS: `${limit}/1h`, FLIGHT_FAILURE_RATE: '0' };
  cluster = await startCluster({ instances: 2, settings });
});
afterAll(() => cluster.end());

async function lookUp(instance: number): Promise<number> {
  const answer = await fetch(
    `${cluster.origins[instance]}/api/orders/0000-0000-0000-0000?email=ana@example.com`,
  );
  await answer.arrayBuffer();
  return answer.status;
}

it('a client has one limit across instances, and each instance counts alone while Redis is down', async () => {
  const seen: number[] = [];
  for (let asked = 0; asked < 2 * limit; asked++) {
    seen.push(await lookUp(asked % 2));
  }
  const allowed = seen.filter((status) => status === 404).length;
  expect(seen.filter((status) => status === 429)).toHaveLength(2 * limit - allowed);
  expect(allowed).toBeGreaterThanOrEqual(limit * 0.95);
  expect(allowed).toBeLessThanOrEqual(limit * 1.05);
  await cluster.redis.kill();
  expect([await lookUp(0), await lookUp(1)]).toEqual([429, 429]);
  expect((await fetch(`${cluster.origins[0]}/api/packages`)).status).toBe(200);
});
