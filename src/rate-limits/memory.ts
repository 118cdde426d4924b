import type { Clock } from '../lib/clock.ts';
import type { Allowance, RateLimiter, RateLimits, RatePolicy } from './rate-limits.ts';

/** The uses of one key in its window. */
export interface Window {
  /** When the window ends, in ms on the monotonic clock. */
  endsAt: number;
  /** Uses that this process has allowed. */
  used: number;
}

/** The most keys, each of about 200 bytes. Above this number the oldest windows are forgotten. */
const keysMax = 50_000;
/** Windows are forgotten in chunks of this size, because finding a Map's first entry skips every deleted slot. */
const forgottenAtOnce = 1_000;

/** The windows of all keys. A key's window begins with its first use, and ends after the time of the policy. */
export class Windows<W extends Window> {
  readonly #windowMs: number;
  readonly #begin: (endsAt: number) => W;
  /** In the order of their begin. */
  readonly #byKey = new Map<string, W>();
  #sweepAt = 0;

  constructor({ windowS }: RatePolicy, begin: (endsAt: number) => W) {
    this.#windowMs = windowS * 1000;
    this.#begin = begin;
  }

  of(key: string, now: number): W {
    const present = this.#byKey.get(key);
    if (present !== undefined && now < present.endsAt) return present;
    this.#makeRoom(now);
    const window = this.#begin(now + this.#windowMs);
    this.#byKey.delete(key);
    this.#byKey.set(key, window);
    return window;
  }

  /** The windows that have not ended, by key. */
  *active(now: number): Iterable<[key: string, window: W]> {
    for (const entry of this.#byKey) if (now < entry[1].endsAt) yield entry;
  }

  #makeRoom(now: number): void {
    if (now >= this.#sweepAt) {
      this.#sweepAt = now + this.#windowMs;
      for (const [key, { endsAt }] of this.#byKey) if (endsAt <= now) this.#byKey.delete(key);
    }
    if (this.#byKey.size < keysMax) return;
    let left = forgottenAtOnce;
    for (const key of this.#byKey.keys()) {
      this.#byKey.delete(key);
      if (--left === 0) return;
    }
  }
}

/** Rate limits within this process. */
export function memoryRateLimits({ clock }: { readonly clock: Clock }): RateLimits {
  return { limiter: (policy) => new MemoryLimiter(policy, clock), close: async () => {} };
}

class MemoryLimiter implements RateLimiter {
  readonly policy: RatePolicy;
  readonly #clock: Clock;
  readonly #windows: Windows<Window>;

  constructor(policy: RatePolicy, clock: Clock) {
    this.policy = policy;
    this.#clock = clock;
    this.#windows = new Windows(policy, (endsAt) => ({ endsAt, used: 0 }));
  }

  async take(key: string): Promise<Allowance> {
    const now = this.#clock.monotonic();
    const window = this.#windows.of(key, now);
    const isAllowed = window.used < this.policy.count;
    if (isAllowed) window.used += 1;
    return { isAllowed, remaining: this.policy.count - window.used, resetMs: window.endsAt - now };
  }
}
