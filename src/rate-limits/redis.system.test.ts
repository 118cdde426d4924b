import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { allowedOf, rateLimitsContract, takeMany } from '../../test/contract/rate-limits.ts';
import { type RedisServer, startRedis } from '../../test/support/servers/redis.ts';
import { redisConnector } from '../cluster/redis/connector.ts';
import { systemClock } from '../lib/clock.ts';
import { silentLog } from '../observability/log.ts';
import type { RateLimits } from './rate-limits.ts';
import { redisRateLimits } from './redis.ts';

let server: RedisServer;

beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

/** The connected rate limits of one instance. */
async function open(): Promise<RateLimits> {
  let redis: Redis | undefined;
  const connector = redisConnector(server.url, 'test', silentLog);
  const limits = redisRateLimits({
    connect: (purpose, options) => {
      redis = connector(purpose, options);
      return redis;
    },
    clock: systemClock,
    log: silentLog,
  });
  await vi.waitFor(() => expect(redis?.status).toBe('ready'), { timeout: 5_000 });
  return limits;
}

rateLimitsContract('redis', open);

const policy = { name: 'shared', count: 200, windowS: 60 } as const;

it('enforces one limit for all instances once they have shared their counts', async () => {
  const [one, other] = [await open(), await open()];
  const [here, there] = [one.limiter(policy), other.limiter(policy)];
  expect(allowedOf(await takeMany(here, 'ana', 190))).toBe(190);
  // The key is frequent on the other instance too, so both counts are added up.
  expect(allowedOf(await takeMany(there, 'ana', 40))).toBe(40);
  await vi.waitFor(async () => expect((await there.take('ana')).isAllowed).toBe(false), { timeout: 5_000 });
  await takeMany(here, 'ana', 1);
  await vi.waitFor(async () => expect((await here.take('ana')).isAllowed).toBe(false), { timeout: 5_000 });
  expect((await here.take('eve')).isAllowed).toBe(true);
  await Promise.all([one.close(), other.close()]);
});

it('sends Redis only hashes of keys, and only of keys that are frequent and not refused yet', async () => {
  const redis = new Redis(server.url);
  await redis.flushall();
  const limits = await open();
  const limiter = limits.limiter({ ...policy, name: 'quiet' });
  for (let buyer = 0; buyer < 500; buyer++) await limiter.take(`buyer-${buyer}@example.com`);
  await sleep(200);
  expect(await redis.keys('*')).toEqual([]);
  await takeMany(limiter, 'ana@example.com', 250);
  await vi.waitFor(async () => expect(await redis.keys('*')).toHaveLength(1));
  const [key = ''] = await redis.keys('*');
  expect(key).toMatch(/^limit:quiet:[\w-]{22}$/);
  expect(await redis.get(key)).toBe('200');
  expect(await redis.pttl(key)).toBeGreaterThan(0);
  await takeMany(limiter, 'ana@example.com', 1_000);
  await sleep(200);
  expect(await redis.get(key)).toBe('200');
  redis.disconnect();
  await limits.close();
});

it('counts alone without delay while Redis hangs or is down, and shares its counts again afterwards', async () => {
  const [one, other] = [await open(), await open()];
  const away = { ...policy, name: 'away' };
  const [here, there] = [one.limiter(away), other.limiter(away)];
  const outage = server.pause(2_500);
  const startedAt = Date.now();
  for (const limiter of [here, there]) expect(allowedOf(await takeMany(limiter, 'ana', 300))).toBe(200);
  expect(Date.now() - startedAt).toBeLessThan(1_000);
  await outage;
  await server.restart();
  for (const limiter of [here, there]) expect(allowedOf(await takeMany(limiter, 'eve', 300))).toBe(200);
  // Waits until both instances have reconnected.
  for (let tries = 1; ; tries++) {
    const key = `bob-${tries}`;
    await takeMany(here, key, 200);
    await takeMany(there, key, 21);
    const refused = async () => expect((await there.take(key)).isAllowed).toBe(false);
    const isShared = await vi.waitFor(refused, { timeout: 3_000, interval: 100 }).then(
      () => true,
      () => false,
    );
    if (isShared) break;
    expect(tries).toBeLessThan(5);
  }
  await Promise.all([one.close(), other.close()]);
});

it('limits the counts that wait to be shared while Redis hangs', async () => {
  const limits = await open();
  const limiter = limits.limiter({ name: 'hung', count: 5, windowS: 60 });
  const outage = server.pause(4_000);
  for (let buyer = 0; buyer < 60_000; buyer++) await limiter.take(`buyer-${buyer}`);
  await outage;
  const redis = new Redis(server.url);
  // In several rounds, all pending counts are shared, and nothing else.
  let told = 0;
  const isAllTold = async () => {
    const before = told;
    told = await redis.dbsize();
    return told > 10_000 && told === before;
  };
  await expect.poll(isAllTold, { timeout: 30_000, interval: 1_000 }).toBe(true);
  expect(told).toBeLessThan(30_000);
  redis.disconnect();
  await limits.close();
});
