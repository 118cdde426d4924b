import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { leasesContract } from '../../../test/contract/leases.ts';
import { recordingLog } from '../../../test/support/recording-log.ts';
import { type RedisServer, startRedis } from '../../../test/support/servers/redis.ts';
import { type Clock, systemClock } from '../../lib/clock.ts';
import { silentLog } from '../../observability/log.ts';
import type { Lease, Leases } from '../lease.ts';
import { redisConnector } from './connector.ts';
import { type RedlockLeasesOptions, redlockLeases } from './redlock-leases.ts';

/** A node that does not answer within a quarter of it counts as down. */
const ttlMs = 2_000;
let servers: RedisServer[];
let opened: Leases[] = [];

beforeAll(async () => {
  servers = await Promise.all([startRedis(), startRedis(), startRedis()]);
});
afterAll(() => Promise.all(servers.map((server) => server.stop())));

function leasesOver(nodes: readonly RedisServer[], over: Partial<RedlockLeasesOptions> = {}): Leases {
  const leases = redlockLeases({
    nodes: nodes.map(({ url }) => redisConnector(url, 'test', silentLog)),
    ttlMs,
    clock: systemClock,
    log: silentLog,
    ...over,
  });
  opened.push(leases);
  return leases;
}

async function closeAll(): Promise<void> {
  await Promise.all(opened.map((leases) => leases.close()));
  opened = [];
}

async function acquired(leases: Leases, packageId = 1): Promise<Lease> {
  return vi.waitUntil(async () => (await leases.acquire(packageId).catch(() => undefined)) ?? false, {
    timeout: 10_000,
  });
}

/** Resolves once the lease is lost. Returns the time until the loss, in ms. */
async function untilLost({ lost }: Lease): Promise<number> {
  const since = performance.now();
  if (!lost.aborted) await new Promise((resolve) => lost.addEventListener('abort', resolve));
  return performance.now() - since;
}

for (const nodes of [1, 3]) {
  leasesContract(`redlock over ${nodes} node(s)`, async () => {
    const used = servers.slice(0, nodes);
    await Promise.all(used.map((server) => server.flush()));
    return { one: leasesOver(used), other: leasesOver(used), ttlMs, close: closeAll };
  });
}

describe('a lease over one node', () => {
  let server: RedisServer;
  let one: Leases;
  let other: Leases;

  beforeEach(async () => {
    [server] = servers as [RedisServer];
    await server.flush();
    one = leasesOver([server]);
    other = leasesOver([server]);
  });
  afterEach(closeAll);

  test('is stored under the key of its package, for its time to live', async () => {
    await acquired(one, 42);
    await using redis = inspector(server);
    expect(await redis.client.keys('*')).toEqual(['lease:{42}']);
    const left = await redis.client.pttl('lease:{42}');
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(ttlMs);
  });

  test('Q9 ends for its holder before another instance can acquire it, if it is not extended', async () => {
    const neverAwake: Clock = { ...systemClock, sleep: () => new Promise(() => {}) };
    const lease = (await leasesOver([server], { clock: neverAwake }).acquire(1)) as Lease;
    const next = await vi.waitUntil(
      async () => {
        const held = lease.isHeld();
        const taken = (await other.acquire(1)) ?? false;
        if (taken) expect(held && lease.isHeld()).toBe(false);
        return taken;
      },
      { timeout: 3 * ttlMs, interval: 10 },
    );
    expect(lease.lost.aborted).toBe(true);
    expect(next.isHeld()).toBe(true);
  });

  test('Q9 is not held after the process was paused past its end, even before timers run', async () => {
    let stoodStillMs = 0;
    const lease = await acquired(
      leasesOver([server], {
        clock: { ...systemClock, monotonic: () => systemClock.monotonic() + stoodStillMs },
      }),
    );
    expect(lease.isHeld()).toBe(true);
    stoodStillMs = ttlMs;
    expect(lease.isHeld()).toBe(false);
    expect(lease.lost.aborted).toBe(true);
  });

  test('Q9 ends early when the wall clock jumps forward, and survives a jump backward', async () => {
    let jumpMs = 0;
    const clock: Clock = { ...systemClock, now: () => Date.now() + jumpMs };
    const lease = await acquired(leasesOver([server], { clock }));
    jumpMs = -3_600_000;
    expect(lease.isHeld()).toBe(true);
    jumpMs = 3_600_000;
    expect(lease.isHeld()).toBe(false);
  });

  test('is released when it was granted too late', async () => {
    let asked = 0;
    const leases = leasesOver([server], {
      clock: { ...systemClock, monotonic: () => (asked++ === 0 ? 0 : ttlMs) },
    });
    await vi.waitFor(() => expect(leases.acquire(1)).rejects.toThrow('too late'));
    expect(await other.acquire(1)).toBeDefined();
  });

  test('is lost at the next extension after Redis was wiped, and can be acquired again', async () => {
    const lease = await acquired(one);
    await server.flush();
    expect(await untilLost(lease)).toBeLessThan(ttlMs);
    expect(await other.acquire(1)).toBeDefined();
    expect(await one.acquire(1)).toBeUndefined();
  });

  test('is lost when its key belongs to another instance, and its release does not delete that key', async () => {
    const lease = await acquired(one);
    await using redis = inspector(server);
    await redis.client.set('lease:{1}', 'another', 'PX', 60_000);
    await untilLost(lease);
    await lease.release();
    expect(await redis.client.get('lease:{1}')).toBe('another');
  });

  test('is lost while Redis is paused, before another instance can acquire it', async () => {
    const lease = await acquired(one);
    let running = false;
    const paused = server.pause(2.5 * ttlMs).then(() => {
      running = true;
    });
    await untilLost(lease);
    expect(running).toBe(false);
    await expect(one.acquire(2)).rejects.toThrow('no majority');
    const since = performance.now();
    await lease.release();
    expect(performance.now() - since).toBeLessThan(ttlMs);
    await paused;
    await acquired(other);
  });

  test('survives a pause of Redis that is shorter than its time to live', async () => {
    const lease = await acquired(one);
    // The pause is longer than the timeout of the first extension.
    await server.pause(ttlMs * 0.6);
    await sleep(ttlMs);
    expect(lease.isHeld()).toBe(true);
  });

  test('can be acquired again once Redis is back, and the outage and its end are logged once each', async () => {
    const log = recordingLog();
    const leases = leasesOver([server], { log });
    const lease = await acquired(leases);
    await server.kill();
    for (let tries = 0; tries < 3; tries++) {
      await expect(leases.acquire(2)).rejects.toThrow('no majority of the Redis nodes for leases answers');
    }
    await untilLost(lease);
    await lease.release();
    await server.restart();
    await acquired(leases, 2);
    await acquired(other, 1);
    expect(log.lines).toEqual([
      'no majority of the Redis nodes for leases answers',
      'a lease was lost',
      'the Redis nodes for leases answer again',
    ]);
  });

  test('can be held for hundreds of packages at once', async () => {
    const roomyMs = 2.5 * ttlMs;
    const [many, others] = [
      leasesOver([server], { ttlMs: roomyMs }),
      leasesOver([server], { ttlMs: roomyMs }),
    ];
    const ids = Array.from({ length: 500 }, (_, each) => each + 1);
    const leases = await Promise.all(ids.map((id) => many.acquire(id)));
    expect(await Promise.all(ids.map((id) => others.acquire(id)))).toEqual(ids.map(() => undefined));
    await sleep(1.2 * roomyMs);
    expect(leases.filter((lease) => lease?.isHeld())).toHaveLength(ids.length);
    await many.close();
    expect(await Promise.all(ids.map((id) => others.acquire(id)))).not.toContain(undefined);
  });
});

describe('a lease over three nodes', () => {
  afterEach(async () => {
    await closeAll();
    await Promise.all(servers.map((server) => server.restart()));
  });

  test('is granted and kept while one node is down, and lost when two nodes are down', async () => {
    const [first, second] = servers as [RedisServer, RedisServer, RedisServer];
    const [one, other] = [leasesOver(servers), leasesOver(servers)];
    const early = await acquired(one, 1);
    await first.kill();
    const late = await acquired(one, 2);
    await sleep(1.5 * ttlMs);
    expect([early.isHeld(), late.isHeld()]).toEqual([true, true]);
    expect(await other.acquire(1)).toBeUndefined();
    await one.ping();
    await second.kill();
    await expect(one.ping()).rejects.toThrow('no majority');
    await Promise.all([untilLost(early), untilLost(late)]);
    await expect(other.acquire(3)).rejects.toThrow('no majority');
  });

  test('survives the loss of one node’s memory', async () => {
    const [first] = servers as [RedisServer];
    const [one, other] = [leasesOver(servers), leasesOver(servers)];
    const lease = await acquired(one);
    await first.restart();
    await sleep(1.5 * ttlMs);
    expect(lease.isHeld()).toBe(true);
    expect(await other.acquire(1)).toBeUndefined();
  });

  test('needs an odd number of nodes', () => {
    expect(() => leasesOver(servers.slice(0, 2))).toThrow(RangeError);
    expect(() => leasesOver([])).toThrow(RangeError);
  });
});

/** A connection to inspect a server. */
function inspector(server: RedisServer): { client: Redis } & AsyncDisposable {
  const client = new Redis(server.url);
  return {
    client,
    async [Symbol.asyncDispose]() {
      client.disconnect();
    },
  };
}
