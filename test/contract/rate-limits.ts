import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Allowance, RateLimiter, RateLimits, RatePolicy } from '../../src/rate-limits/rate-limits.ts';

/** Uses the key this many times, one after the other. */
export async function takeMany(limiter: RateLimiter, key: string, uses: number): Promise<Allowance[]> {
  const taken: Allowance[] = [];
  for (let use = 0; use < uses; use++) taken.push(await limiter.take(key));
  return taken;
}

export const allowedOf = (taken: readonly Allowance[]) => taken.filter(({ isAllowed }) => isAllowed).length;

/** The contract of `RateLimits`, run on each implementation. */
export function rateLimitsContract(name: string, open: () => Promise<RateLimits>): void {
  describe(`rate limits contract: ${name}`, () => {
    let limits: RateLimits;
    let names = 0;

    beforeEach(async () => {
      limits = await open();
    });
    afterEach(() => limits.close());

    function limiter(policy: Partial<RatePolicy> = {}): RateLimiter {
      names += 1;
      return limits.limiter({ name: `contract-${names}`, count: 20, windowS: 60, ...policy });
    }

    it('allows a key as often as the policy says, then refuses, and reports the remainder', async () => {
      const limited = limiter();
      const taken = await takeMany(limited, 'ana', 25);
      expect(taken.map(({ isAllowed }) => isAllowed)).toEqual([
        ...Array(20).fill(true),
        ...Array(5).fill(false),
      ]);
      expect(taken.map(({ remaining }) => remaining)).toEqual([
        ...Array.from({ length: 20 }, (_, used) => 19 - used),
        ...Array(5).fill(0),
      ]);
      for (const { resetMs } of taken) {
        expect(resetMs).toBeGreaterThan(50_000);
        expect(resetMs).toBeLessThanOrEqual(60_000);
      }
    });

    it('enforces a limit of one use', async () => {
      const taken = await takeMany(limiter({ count: 1 }), 'ana', 3);
      expect(taken.map(({ isAllowed }) => isAllowed)).toEqual([true, false, false]);
    });

    it('counts keys and policies separately', async () => {
      const [one, other] = [limiter(), limiter()];
      await takeMany(one, 'ana', 25);
      expect(allowedOf(await takeMany(one, 'eve', 25))).toBe(20);
      expect(allowedOf(await takeMany(other, 'ana', 25))).toBe(20);
    });

    it('allows the full count again after the window', async () => {
      const limited = limiter({ windowS: 1 });
      expect(allowedOf(await takeMany(limited, 'ana', 25))).toBe(20);
      await vi.waitFor(async () => expect((await limited.take('ana')).isAllowed).toBe(true), {
        timeout: 5_000,
        interval: 20,
      });
      // The use that was allowed counts in the new window.
      expect(allowedOf(await takeMany(limited, 'ana', 25))).toBe(19);
    });

    it('limits keys of any characters', async () => {
      const limited = limiter({ count: 2 });
      for (const key of ['', ' ', '*', 'a:b', '\0', '__proto__', 'ü', 'k'.repeat(1_000)]) {
        expect(allowedOf(await takeMany(limited, key, 4))).toBe(2);
      }
    });

    it('never refuses a key because many other keys were used once', async () => {
      const limited = limiter({ count: 100 });
      const taken = await Promise.all(
        Array.from({ length: 20_000 }, (_, key) => limited.take(`buyer-${key}`)),
      );
      expect(allowedOf(taken)).toBe(20_000);
    });
  });
}
