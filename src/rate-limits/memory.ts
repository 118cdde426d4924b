import type { RateLimiterRes } from 'rate-limiter-flexible';
import RateLimiterMemory from 'rate-limiter-flexible/lib/RateLimiterMemory.js';
import type { Clock } from '../lib/clock.ts';
import type { Allowance, RateLimiter, RateLimits, RatePolicy } from './rate-limits.ts';

/** Called for uses that were allowed and counted exactly. */
export type OnCounted = (key: string, uses: number) => void;

/** Rate limits within this process. */
export function memoryRateLimits({ clock }: { readonly clock: Clock }): RateLimits {
  return { limiter: (policy) => new MemoryLimiter(policy, clock), close: async () => {} };
}

/** The most exact counters, each of a few hundred bytes. Above this number, the oldest are evicted. */
const exactMax = 50_000;
/** The counters are evicted in chunks of this size, because finding a Map's first entry skips every deleted slot. */
const evictedAtOnce = 1_000;

/**
 * Counts approximately up to a tenth of the limit, and exactly from there. An exact counter costs a timer and a few
 * hundred bytes, and in a sale nearly all of ten thousand clients come only once or twice. So the library's limiter is
 * used only for frequent keys.
 */
export class MemoryLimiter implements RateLimiter {
  readonly policy: RatePolicy;
  readonly #clock: Clock;
  readonly #onCounted: OnCounted;
  readonly #coarse: ApproximateCounts;
  /** The number of uses that are counted only approximately. */
  readonly #free: number;
  readonly #exact: RateLimiterMemory;
  /** Keys that are counted exactly, with the end of their window, in ms on the monotonic clock. */
  readonly #watched = new Map<string, number>();
  #sweepAt = 0;

  constructor(policy: RatePolicy, clock: Clock, onCounted: OnCounted = () => {}) {
    this.policy = policy;
    this.#clock = clock;
    this.#onCounted = onCounted;
    this.#coarse = new ApproximateCounts(policy.windowS * 1000);
    this.#free = Math.min(Math.floor(policy.count / 10), approximateMax - 1);
    this.#exact = new RateLimiterMemory({ points: policy.count, duration: policy.windowS, keyPrefix: '' });
  }

  async take(key: string): Promise<Allowance> {
    const now = this.#clock.monotonic();
    if (now >= this.#sweepAt) this.#sweep(now);
    if ((this.#watched.get(key) ?? 0) > now) return this.#count(key, 1, now);
    const uses = this.#coarse.add(key, now);
    // An approximate counter may include uses of other keys. So the exact count of a key starts with at most a tenth of
    // the limit.
    if (uses > this.#free) return this.#count(key, Math.min(uses, this.#free + 1), now);
    return { isAllowed: true, remaining: this.policy.count - uses, resetMs: this.#coarse.endsAt - now };
  }

  /** Sets the count of a key to the total of all instances. */
  setTotal(key: string, uses: number, resetMs: number): void {
    void this.#exact.set(key, uses, resetMs / 1000);
    this.#watch(key, this.#clock.monotonic() + resetMs);
  }

  async #count(key: string, uses: number, now: number): Promise<Allowance> {
    const { remainingPoints, consumedPoints, msBeforeNext } = await this.#exact
      .consume(key, uses)
      .catch(spent);
    this.#watch(key, now + msBeforeNext);
    const isAllowed = consumedPoints <= this.policy.count;
    if (isAllowed) this.#onCounted(key, uses);
    return { isAllowed, remaining: remainingPoints, resetMs: msBeforeNext };
  }

  #watch(key: string, until: number): void {
    this.#watched.set(key, until);
    if (this.#watched.size <= exactMax) return;
    let left = evictedAtOnce;
    for (const first of this.#watched.keys()) {
      this.#watched.delete(first);
      void this.#exact.delete(first);
      if (--left === 0) return;
    }
  }

  #sweep(now: number): void {
    this.#sweepAt = now + this.policy.windowS * 1000;
    for (const [key, until] of this.#watched) if (until <= now) this.#watched.delete(key);
  }
}

/** The library rejects with its result when the limit is exceeded. The limiter in memory has no other errors. */
function spent(result: RateLimiterRes): RateLimiterRes {
  return result;
}

/** The number of slots, a power of two. There are so many that few keys share a slot. */
const slotsCount = 65_536;
/** The highest approximate count. */
const approximateMax = 65_535;

/**
 * Counts uses by key in constant memory. Keys are hashed to slots, and keys in the same slot are counted together, so a
 * count may be too high but never too low.
 */
class ApproximateCounts {
  readonly #slots = new Uint16Array(slotsCount);
  readonly #windowMs: number;
  #endsAt = Number.NEGATIVE_INFINITY;

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** When all counts are reset, in ms on the monotonic clock. */
  get endsAt(): number {
    return this.#endsAt;
  }

  /** Counts one use; returns the uses of this window. */
  add(key: string, now: number): number {
    if (now >= this.#endsAt) {
      this.#slots.fill(0);
      this.#endsAt = now + this.#windowMs;
    }
    const slot = hashOf(key) & (slotsCount - 1);
    const count = Math.min((this.#slots[slot] as number) + 1, approximateMax);
    this.#slots[slot] = count;
    return count;
  }
}

/**
 * FNV-1a. An attacker who finds keys with the same hash gains nothing: these keys are only counted exactly a little
 * earlier.
 */
function hashOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < key.length; at++) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193);
  return hash ^ (hash >>> 15);
}
