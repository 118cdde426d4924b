import { hash } from 'node:crypto';
import type { Redis, RedisOptions } from 'ioredis';
import RateLimiterRedis from 'rate-limiter-flexible/lib/RateLimiterRedis.js';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../observability/log.ts';
import { MemoryLimiter } from './memory.ts';
import type { RateLimits } from './rate-limits.ts';

export interface RedisRateLimitsOptions {
  /** Opens a connection; one is used. */
  readonly connect: (purpose: string, options: RedisOptions) => Redis;
  readonly clock: Clock;
  readonly log: Log;
}

/** How long an instance may count before it tells the others. */
const shareEveryMs = 50;
/** Keys that are told of in one go: what does not fit is told next time. */
const sharedMax = 1_000;
/** Keys that wait to be told of: while Redis hangs, further ones are counted here alone. */
const pendingMax = 20_000;
const commandTimeoutMs = 1_000;

/**
 * Rate limits of all instances together. Every decision is made in memory, by what this process counts and what Redis
 * last said; a round trip per purchase would cost more than the purchase. Uses that were counted exactly are added up
 * in Redis every 50 ms, in one pipeline, and the sum is taken over: who is over the limit anywhere is refused here
 * without another word to Redis. While Redis is away each process holds the limit alone, and nobody waits.
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
      const teller = new SharedCounts(shared, redis, options, closing.signal);
      const local = new MemoryLimiter(policy, clock, (key, uses) => teller.note(key, uses));
      teller.adopt = (key, uses, resetMs) => local.setTotal(key, uses, resetMs);
      return local;
    },
    async close() {
      closing.abort();
      redis.disconnect();
    },
  };
}

/** Tells Redis of the uses counted here, and the limiter what that makes with those of the others. */
class SharedCounts {
  readonly #shared: RateLimiterRedis;
  readonly #redis: Redis;
  readonly #options: RedisRateLimitsOptions;
  readonly #closing: AbortSignal;
  #untold = new Map<string, number>();
  #telling = false;
  adopt: MemoryLimiter['setTotal'] = () => {};

  constructor(shared: RateLimiterRedis, redis: Redis, options: RedisRateLimitsOptions, closing: AbortSignal) {
    this.#shared = shared;
    this.#redis = redis;
    this.#options = options;
    this.#closing = closing;
  }

  note(key: string, uses: number): void {
    const before = this.#untold.get(key);
    if (before === undefined && this.#untold.size >= pendingMax) return;
    this.#untold.set(key, (before ?? 0) + uses);
    if (!this.#telling) void this.#tell();
  }

  async #tell(): Promise<void> {
    const { clock } = this.#options;
    this.#telling = true;
    while (this.#untold.size > 0) {
      await clock.sleep(shareEveryMs, this.#closing);
      if (this.#closing.aborted) break;
      const some = this.#takeSome();
      // What Redis does not hear of is counted here all the same.
      if (this.#redis.status === 'ready') await Promise.all(some.map(([key, uses]) => this.#add(key, uses)));
    }
    this.#telling = false;
  }

  #takeSome(): [string, number][] {
    const all = [...this.#untold];
    this.#untold = new Map(all.slice(sharedMax));
    return all.slice(0, sharedMax);
  }

  async #add(key: string, uses: number): Promise<void> {
    try {
      const { consumedPoints, msBeforeNext } = await this.#shared.penalty(hashedKey(key), uses);
      this.adopt(key, consumedPoints + (this.#untold.get(key) ?? 0), Math.max(1, msBeforeNext));
    } catch (error) {
      this.#options.log.debug(
        { err: error },
        'Redis did not count for a rate limit: each instance does, alone',
      );
    }
  }
}

/** An email or an address is nobody else's business: Redis sees 128 bits of a hash. */
function hashedKey(key: string): string {
  return hash('sha256', key, 'base64url').slice(0, 22);
}
