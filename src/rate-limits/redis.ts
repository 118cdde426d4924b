import { hash } from 'node:crypto';
import type { Redis, RedisOptions } from 'ioredis';
import RateLimiterRedis from 'rate-limiter-flexible/lib/RateLimiterRedis.js';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../observability/log.ts';
import { MemoryLimiter } from './memory.ts';
import type { RateLimits } from './rate-limits.ts';

export interface RedisRateLimitsOptions {
  /** Opens a connection to Redis. It is called once. */
  readonly connect: (purpose: string, options: RedisOptions) => Redis;
  readonly clock: Clock;
  readonly log: Log;
}

/** How often an instance shares its counts, in ms. */
const shareEveryMs = 50;
/** The most keys per round. Further keys wait for the next round. */
const sharedMax = 1_000;
/** The most keys that wait to be shared, while Redis hangs. Further keys are counted only in this process. */
const pendingMax = 20_000;
const commandTimeoutMs = 1_000;

/**
 * Rate limits that all instances share. Decisions are made in memory, from this process's counts and the last totals from
 * Redis, because a round trip per purchase would cost more than the purchase. Every 50 ms exact counts are added to the
 * totals in Redis, in one pipeline, and the totals are read back. A client above the limit is then refused without Redis.
 * While Redis is unavailable each process counts alone, and no request waits.
 */
export function redisRateLimits(options: RedisRateLimitsOptions): RateLimits {
  const { connect, clock } = options;
  const redis = connect('limits', {
    commandTimeout: commandTimeoutMs,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    enableAutoPipelining: true,
  });
  const closing = new AbortController();
  return {
    limiter(policy) {
      const { name, count: points, windowS: duration } = policy;
      const shared = new RateLimiterRedis({
        storeClient: redis,
        keyPrefix: `limit:${name}`,
        points,
        duration,
      });
      const counts = new SharedCounts(shared, redis, options, closing.signal);
      const local = new MemoryLimiter(policy, clock, (key, uses) => counts.note(key, uses));
      counts.setTotal = (key, uses, resetMs) => local.setTotal(key, uses, resetMs);
      return local;
    },
    async close() {
      closing.abort();
      redis.disconnect();
    },
  };
}

/** Adds the uses that this process has counted to Redis, and passes the totals of all instances to the limiter. */
class SharedCounts {
  readonly #shared: RateLimiterRedis;
  readonly #redis: Redis;
  readonly #options: RedisRateLimitsOptions;
  readonly #closing: AbortSignal;
  #pending = new Map<string, number>();
  #isSharing = false;
  setTotal: MemoryLimiter['setTotal'] = () => {};

  constructor(shared: RateLimiterRedis, redis: Redis, options: RedisRateLimitsOptions, closing: AbortSignal) {
    this.#shared = shared;
    this.#redis = redis;
    this.#options = options;
    this.#closing = closing;
  }

  note(key: string, uses: number): void {
    const before = this.#pending.get(key);
    if (before === undefined && this.#pending.size >= pendingMax) return;
    this.#pending.set(key, (before ?? 0) + uses);
    if (!this.#isSharing) void this.#share();
  }

  async #share(): Promise<void> {
    const { clock } = this.#options;
    this.#isSharing = true;
    while (this.#pending.size > 0) {
      await clock.sleep(shareEveryMs, this.#closing);
      if (this.#closing.aborted) break;
      const batch = this.#takeBatch();
      // While Redis is unavailable, the uses are counted only in this process.
      if (this.#redis.status === 'ready') await Promise.all(batch.map(([key, uses]) => this.#add(key, uses)));
    }
    this.#isSharing = false;
  }

  #takeBatch(): [string, number][] {
    const all = [...this.#pending];
    this.#pending = new Map(all.slice(sharedMax));
    return all.slice(0, sharedMax);
  }

  async #add(key: string, uses: number): Promise<void> {
    try {
      const { consumedPoints, msBeforeNext } = await this.#shared.penalty(hashedKey(key), uses);
      this.setTotal(key, consumedPoints + (this.#pending.get(key) ?? 0), Math.max(1, msBeforeNext));
    } catch (error) {
      this.#options.log.debug(
        { err: error },
        'Redis did not count for a rate limit: each instance does, alone',
      );
    }
  }
}

/** Redis gets only a hash of 128 bits, never an email or an IP address. */
function hashedKey(key: string): string {
  return hash('sha256', key, 'base64url').slice(0, 22);
}
