import { hash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Redis, RedisOptions } from 'ioredis';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../observability/log.ts';
import { type Window, Windows } from './memory.ts';
import type { Allowance, RateLimiter, RateLimits, RatePolicy } from './rate-limits.ts';

export interface RedisRateLimitsOptions {
  /** Opens a connection to Redis. It is called once. */
  readonly connect: (purpose: string, options: RedisOptions) => Redis;
  readonly clock: Clock;
  readonly log: Log;
}

/** A request waits at most this long for Redis. */
const commandTimeoutMs = 100;
/** After Redis did not answer, each key is counted in this process alone for so long. */
const aloneMs = 1_000;

/** `take-uses.lua`, defined on the connection. */
interface Commands {
  takeUses(
    key: string,
    instance: string,
    used: number,
    wanted: number,
    limit: number,
    windowMs: number,
    ...known: string[]
  ): Promise<[granted: number, others: number, leftMs: number, known: string[]]>;
}

/**
 * Rate limits that all instances share. A round trip per purchase would cost more than the purchase. So an instance
 * allows the first hundredth of a key's limit without Redis, and then takes uses from the common count in portions of a
 * hundredth. With five instances a client gets its limit within 5 %, at any speed. A key that has used up its limit is
 * refused without Redis. While Redis is unavailable, each instance counts alone. When it is back, each instance reports
 * its uses, because Redis may have lost its data.
 */
export function redisRateLimits({ connect, clock, log }: RedisRateLimitsOptions): RateLimits {
  const redis = connect('limits', {
    commandTimeout: commandTimeoutMs,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    enableAutoPipelining: true,
  });
  const lua = readFileSync(new URL('take-uses.lua', import.meta.url), 'utf8');
  redis.defineCommand('takeUses', { numberOfKeys: 1, lua });
  const commonCount = new CommonCount(redis as Redis & Commands, clock, log);
  return {
    limiter: (policy) => new SharedLimiter(policy, clock, commonCount),
    close: async () => redis.disconnect(),
  };
}

/** The counts in Redis. */
class CommonCount {
  readonly #redis: Redis & Commands;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #instance = randomBytes(6).toString('base64url');
  readonly #onReturn: (() => void)[] = [];
  #aloneUntil = Number.NEGATIVE_INFINITY;
  #isAway = false;

  constructor(redis: Redis & Commands, clock: Clock, log: Log) {
    this.#redis = redis;
    this.#clock = clock;
    this.#log = log;
    redis.on('ready', () => this.#returned());
  }

  /** Calls the listener whenever Redis answers again, perhaps without its data. */
  onReturn(listener: () => void): void {
    this.#onReturn.push(listener);
  }

  /** Whether this process counts alone, because Redis did not answer just now. */
  get isAlone(): boolean {
    return this.#clock.monotonic() < this.#aloneUntil;
  }

  /** Reports the uses of the window, and adds to its credit what Redis grants of the wanted uses. Never rejects. */
  async ask({ name, count }: RatePolicy, key: string, window: SharedWindow, wanted: number): Promise<void> {
    const { used, credit, endsAt, known } = window;
    const leftMs = Math.max(1, Math.ceil(endsAt - this.#clock.monotonic()));
    try {
      const [granted, others, windowMs, nowKnown] = await this.#redis.takeUses(
        `limit:${name}:${hashed(key)}`,
        this.#instance,
        used + credit,
        wanted,
        count,
        leftMs,
        ...known,
      );
      window.credit += granted;
      window.others = others;
      window.known = nowKnown;
      window.isSpent = granted < wanted;
      window.endsAt = this.#clock.monotonic() + windowMs;
      if (this.#isAway) this.#returned();
    } catch (err) {
      this.#isAway = true;
      this.#aloneUntil = this.#clock.monotonic() + aloneMs;
      this.#log.debug(
        { err },
        'Redis did not count for a rate limit: this instance counts alone for a second',
      );
    }
  }

  #returned(): void {
    this.#isAway = false;
    this.#aloneUntil = Number.NEGATIVE_INFINITY;
    for (const listener of this.#onReturn) listener();
  }
}

interface SharedWindow extends Window {
  /** Uses that are counted in Redis already, for the next requests. */
  credit: number;
  /** Uses of the other instances, as of the last answer of Redis. */
  others: number;
  /** The last answer of Redis: each instance, followed by its uses. It restores the counts that Redis has lost. */
  known: readonly string[];
  /** Whether Redis had no more uses to give. */
  isSpent: boolean;
  /** Requests that wait for Redis. */
  waiting: number;
  asking: Promise<void> | undefined;
}

class SharedLimiter implements RateLimiter {
  readonly policy: RatePolicy;
  readonly #clock: Clock;
  readonly #commonCount: CommonCount;
  readonly #windows: Windows<SharedWindow>;
  /** How many uses this process allows before it asks Redis, and for how many it asks then. */
  readonly #portion: number;

  constructor(policy: RatePolicy, clock: Clock, commonCount: CommonCount) {
    this.policy = policy;
    this.#clock = clock;
    this.#commonCount = commonCount;
    this.#portion = Math.ceil(policy.count / 100);
    const empty = { used: 0, credit: 0, others: 0, known: [], isSpent: false, waiting: 0, asking: undefined };
    this.#windows = new Windows(policy, (endsAt) => ({ endsAt, ...empty }));
    commonCount.onReturn(() => this.#report());
  }

  async take(key: string): Promise<Allowance> {
    const window = this.#windows.of(key, this.#clock.monotonic());
    let isAllowed = this.#use(window);
    while (isAllowed === undefined) {
      await this.#ask(key, window);
      isAllowed = this.#use(window);
    }
    const remaining = Math.max(0, this.policy.count - window.used - window.others);
    const resetMs = Math.max(0, window.endsAt - this.#clock.monotonic());
    return { isAllowed, remaining: isAllowed ? remaining : 0, resetMs };
  }

  /** Counts one use, and returns whether it is allowed; undefined if Redis has to be asked first. */
  #use(window: SharedWindow): boolean | undefined {
    const { used, credit, isSpent } = window;
    if (credit > 0) window.credit -= 1;
    else if (isSpent || used >= this.policy.count) return false;
    else if (used >= this.#portion && !this.#commonCount.isAlone) return undefined;
    window.used += 1;
    return true;
  }

  /** Reports the frequent keys. Their next requests wait for it. */
  #report(): void {
    for (const [key, window] of this.#windows.active(this.#clock.monotonic())) {
      if (window.used > this.#portion) window.asking ??= this.#askFor(0, key, window);
    }
  }

  /** Concurrent requests of a key share one call, which asks for all of them. */
  async #ask(key: string, window: SharedWindow): Promise<void> {
    window.waiting += 1;
    try {
      window.asking ??= this.#askFor(Math.max(this.#portion, window.waiting), key, window);
      await window.asking;
    } finally {
      window.waiting -= 1;
    }
  }

  async #askFor(wanted: number, key: string, window: SharedWindow): Promise<void> {
    await this.#commonCount.ask(this.policy, key, window, wanted);
    window.asking = undefined;
  }
}

/** Redis gets only a hash of 128 bits, never an email or an IP address. */
function hashed(key: string): string {
  return hash('sha256', key, 'base64url').slice(0, 22);
}
