import { setTimeout as sleep } from 'node:timers/promises';
import { Redis, type RedisOptions } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { allowedOf, rateLimitsContract, takeMany } from '../../test/contract/rate-limits.ts';
import { type RedisServer, startRedis } from '../../test/support/servers/redis.ts';
import { redisConnector } from '../cluster/redis/connector.ts';
import { systemClock } from '../lib/clock.ts';
import { silentLog } from '../observability/log.ts';
import type { Allowance, RateLimiter, RateLimits } from './rate-limits.ts';
import { redisRateLimits } from './redis.ts';

let server: RedisServer;

beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

/** On a busy machine Redis may take longer than the usual timeout, and the instance then counts alone for a second. */
const patient = { commandTimeout: 20_000 };

/** The connected rate limits of one instance. */
async function open(more: RedisOptions = patient): Promise<RateLimits> {
  let redis: Redis | undefined;
  const connector = redisConnector(server.url, 'test', silentLog);
  const limits = redisRateLimits({
    connect: (purpose, options) => {
      redis = connector(purpose, { ...options, ...more });
      return redis;
    },
    clock: systemClock,
    log: silentLog,
  });
  await vi.waitFor(() => expect(redis?.status).toBe('ready'), { timeout: 5_000 });
  return limits;
}

rateLimitsContract('redis', () => open());

const policy = { name: 'shared', count: 200, windowS: 60 } as const;

describe.each([1, 3, 5])('over %i instances', (instances) => {
  const count = 500;
  let opened: RateLimits[];
  let names = 0;

  beforeEach(async () => {
    opened = await Promise.all(Array.from({ length: instances }, () => open()));
  });
  afterEach(() => Promise.all(opened.map((limits) => limits.close())));

  /** The same limit at every instance. */
  function limitersOf(windowS: number): (use: number) => RateLimiter {
    const one = { name: `of-${instances}-${names++}`, count, windowS };
    const limiters = opened.map((limits) => limits.limiter(one));
    return (use) => limiters[use % instances] as RateLimiter;
  }

  /** Sends uses at a steady rate to the instances in turn. Returns how many were allowed. */
  async function allowedAt(
    next: (use: number) => RateLimiter,
    perS: number,
    seconds: number,
  ): Promise<number> {
    const taken: Promise<Allowance>[] = [];
    const startedAt = performance.now();
    for (let now = startedAt; now < startedAt + seconds * 1_000; now = performance.now()) {
      const due = ((now - startedAt) * perS) / 1_000;
      while (taken.length < due) taken.push(next(taken.length).take('ana'));
      await sleep(5);
    }
    return allowedOf(await Promise.all(taken));
  }

  it('a client below the limit is never refused', async () => {
    // On a busy machine some uses are sent late. A window has room for those of two seconds more.
    expect(await allowedAt(limitersOf(1), 150, 2.5)).toBeGreaterThanOrEqual(150 * 2.5 - 3);
  });

  it('a client above the limit gets the limit within 5 %', async () => {
    const allowed = await allowedAt(limitersOf(60), 1_000, 0.95);
    expect(allowed).toBeGreaterThanOrEqual(count * 0.95);
    expect(allowed).toBeLessThanOrEqual(count * 1.05);
  });

  it('a client that sends everything at once gets the limit within 5 %', async () => {
    const next = limitersOf(60);
    const taken = await Promise.all(Array.from({ length: 4 * count }, (_, use) => next(use).take('ana')));
    expect(allowedOf(taken)).toBeGreaterThanOrEqual(count * 0.95);
    expect(allowedOf(taken)).toBeLessThanOrEqual(count * 1.05);
  });
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
  expect(await redis.hvals(key)).toEqual(['200']);
  expect(await redis.pttl(key)).toBeGreaterThan(0);
  const calls = async () =>
    /calls=(\d+)/.exec((await redis.info('commandstats')).split('evalsha:')[1] ?? '')?.[1];
  const before = await calls();
  await takeMany(limiter, 'ana@example.com', 1_000);
  expect(await calls()).toBe(before);
  redis.disconnect();
  await limits.close();
});

it('counts alone without delay while Redis hangs or is down, and shares its counts again afterwards', async () => {
  // With the usual timeout.
  const [one, other] = [await open({}), await open({})];
  const away = { ...policy, name: 'away' };
  const [here, there] = [one.limiter(away), other.limiter(away)];
  let isBack = false;
  const tried = Promise.withResolvers<void>();
  const outage = server.pause(20_000, tried.promise).then(() => {
    isBack = true;
  });
  for (const limiter of [here, there]) expect(allowedOf(await takeMany(limiter, 'ana', 300))).toBe(200);
  expect(isBack).toBe(false);
  tried.resolve();
  await outage;
  await server.kill();
  for (const limiter of [here, there]) expect(allowedOf(await takeMany(limiter, 'eve', 300))).toBe(200);
  await server.restart();
  // Both instances reconnect, and share one limit again.
  let keys = 0;
  await vi.waitFor(
    async () => {
      const key = `bob-${keys++}`;
      const taken = [...(await takeMany(here, key, 200)), ...(await takeMany(there, key, 200))];
      expect(allowedOf(taken)).toBeGreaterThanOrEqual(190);
      expect(allowedOf(taken)).toBeLessThanOrEqual(210);
    },
    { timeout: 10_000, interval: 100 },
  );
  await Promise.all([one.close(), other.close()]);
});

describe('within a window in which Redis loses its data', () => {
  const count = 200;
  let opened: RateLimits[];
  let redis: Redis;

  beforeEach(async () => {
    opened = await Promise.all([open(), open()]);
    redis = new Redis(server.url);
    redis.on('error', () => {}); // It connects again after the restart.
  });
  afterEach(async () => {
    redis.disconnect();
    await Promise.all(opened.map((limits) => limits.close()));
  });

  it('the limit holds, because each instance knows what the others took', async () => {
    const [here, there] = limiters('flushed');
    const before = [...(await takeMany(here, 'ana', 80)), ...(await takeMany(there, 'ana', 80))];
    await redis.flushall();
    const after = [...(await takeMany(there, 'ana', 100)), ...(await takeMany(here, 'ana', 100))];
    expect(allowedOf(before)).toBe(160);
    expectTheLimit([...before, ...after]);
  });

  it('the limit holds after a restart, because each instance reports its uses when it is connected again', async () => {
    const [here, there] = limiters('restarted');
    // The first instance does not know yet what the second has taken.
    const before = [...(await takeMany(here, 'ana', 80)), ...(await takeMany(there, 'ana', 80))];
    await server.restart();
    await bothReported('restarted');
    const after = [...(await takeMany(here, 'ana', 100)), ...(await takeMany(there, 'ana', 100))];
    expect(allowedOf(before)).toBe(160);
    expectTheLimit([...before, ...after]);
  });

  it('uses that an instance allowed alone count when Redis is back', async () => {
    const [here, there] = limiters('alone');
    await server.kill();
    const alone = [...(await takeMany(here, 'ana', 120)), ...(await takeMany(there, 'ana', 40))];
    await server.restart();
    await bothReported('alone');
    const after = [...(await takeMany(there, 'ana', 100)), ...(await takeMany(here, 'ana', 100))];
    expect(allowedOf(alone)).toBe(160);
    expectTheLimit([...alone, ...after]);
  });

  function limiters(name: string): [RateLimiter, RateLimiter] {
    const lost = { name, count, windowS: 60 };
    return opened.map((limits) => limits.limiter(lost)) as [RateLimiter, RateLimiter];
  }

  /** Waits until both instances have reported their uses. */
  async function bothReported(name: string): Promise<void> {
    const reports = async () => redis.hlen((await redis.keys(`limit:${name}:*`))[0] ?? '');
    await vi.waitFor(async () => expect(await reports()).toBe(2), { timeout: 5_000 });
  }

  function expectTheLimit(taken: readonly Allowance[]): void {
    expect(allowedOf(taken)).toBeGreaterThanOrEqual(count * 0.95);
    expect(allowedOf(taken)).toBeLessThanOrEqual(count * 1.05);
  }
});
