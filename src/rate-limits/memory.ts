import type { RateLimiterRes } from 'rate-limiter-flexible';
import RateLimiterMemory from 'rate-limiter-flexible/lib/RateLimiterMemory.js';
import type { Clock } from '../lib/clock.ts';
import type { Allowance, RateLimiter, RateLimits, RatePolicy } from './rate-limits.ts';

/** Told of uses that were allowed and counted exactly, under the key they are told by. */
export type OnCounted = (key: string, uses: number) => void;

/** Rate limits of this process alone. */
export function memoryRateLimits({ clock }: { readonly clock: Clock }): RateLimits {
  return { limiter: (policy) => new MemoryLimiter(policy, clock), close: async () => {} };
}

/** Exact counts at the same time, each of a few hundred bytes; past them, who was first counted longest ago is forgotten. */
const exactMax = 50_000;
/** The way to the first entry of a map leads past all that were deleted: nobody goes it for each. */
const evictedAtOnce = 1_000;

/**
 * Counts roughly up to a tenth of the limit, and exactly from there: of ten thousand buyers nearly all come once or
 * twice, and an exact record of each (a timer and a few hundred bytes) is what such a limit costs.
 */
export class MemoryLimiter implements RateLimiter {
  readonly policy: RatePolicy;
  readonly #clock: Clock;
  readonly #onCounted: OnCounted;
  readonly #coarse: ApproximateCounts;
  /** Uses that nobody needs to be held to. */
  readonly #free: number;
  readonly #exact: RateLimiterMemory;
  /** Keys that are counted exactly, and until when: ms since the epoch. */
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
    const now = this.#clock.now();
    if (now >= this.#sweepAt) this.#sweep(now);
    if ((this.#watched.get(key) ?? 0) > now) return this.#count(key, 1, now);
    const uses = this.#coarse.add(key, now);
    // However many share its rough count, a key is held for a tenth at most.
    if (uses > this.#free) return this.#count(key, Math.min(uses, this.#free + 1), now);
    return { isAllowed: true, remaining: this.policy.count - uses, resetMs: this.#coarse.endsAt - now };
  }

  /** What all instances together have counted by now. */
  setTotal(key: string, uses: number, resetMs: number): void {
    void this.#exact.set(key, uses, resetMs / 1000);
    this.#watch(key, this.#clock.now() + resetMs);
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

/** The library rejects with what it has counted; it has no other errors here. */
function spent(result: RateLimiterRes): RateLimiterRes {
  return result;
}

/** As many keys as this share a slot with few others; a power of two. */
const slotsCount = 65_536;
/** The most that is counted of a key. */
export const approximateMax = 65_535;

/**
 * A rough count of uses by key, in constant memory: keys are hashed to slots, and those that fall on the same one are
 * counted together. So a key's count is never too low, and thousands of keys that come once cost nothing to keep.
 */
export class ApproximateCounts {
  readonly #slots = new Uint16Array(slotsCount);
  readonly #windowMs: number;
  #endsAt = Number.NEGATIVE_INFINITY;

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** ms since the epoch: when everything is forgotten. */
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

/** FNV-1a: who finds keys that collide makes them be counted exactly a little sooner, nothing else. */
function hashOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < key.length; at++) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193);
  return hash ^ (hash >>> 15);
}
