import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Clock } from '../../lib/clock.ts';
import { RedisTime } from './redis-time.ts';

function clockAt(now: () => number): Clock {
  return { now, monotonic: now, sleep: async () => {} };
}

test('the error of the estimate is at most the duration of the last call', () => {
  const delay = fc.integer({ min: 0, max: 2_000 });
  const trip = fc.record({ there: delay, back: delay, shift: fc.integer({ min: -500, max: 500 }) });
  fc.assert(
    fc.property(fc.integer(), fc.array(trip, { minLength: 1 }), (offset, trips) => {
      let now = 0;
      let ahead = offset;
      const time = new RedisTime(clockAt(() => now));
      for (const { there, back, shift } of trips) {
        // Sometimes Redis's clock is set to another time.
        ahead += shift;
        const askedAt = now;
        now += there;
        const answer = now + ahead;
        now += back;
        time.update(answer, askedAt);
        expect(Math.abs(time.now() - (now + ahead))).toBeLessThanOrEqual(there + back + 1);
      }
    }),
  );
});

test('a slow answer does not worsen a good estimate', () => {
  let now = 0;
  const time = new RedisTime(clockAt(() => now));
  time.update(1_000, 0);
  now = 5_000;
  time.update(2_000, 1);
  expect(time.now()).toBe(6_000);
});

test('a jump of the own clock does not change the estimate', () => {
  let jumpedMs = 0;
  const time = new RedisTime({ now: () => 500 + jumpedMs, monotonic: () => 500, sleep: async () => {} });
  time.update(1_000, 500);
  jumpedMs = -3_600_000;
  expect(time.now()).toBe(1_000);
});
