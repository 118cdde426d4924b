import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Clock } from '../../lib/clock.ts';
import { RedisTime } from './redis-time.ts';

test('the error of the estimate is at most the duration of the last call', () => {
  const delay = fc.integer({ min: 0, max: 2_000 });
  const trip = fc.record({ there: delay, back: delay, shift: fc.integer({ min: -500, max: 500 }) });
  fc.assert(
    fc.property(fc.integer(), fc.array(trip, { minLength: 1 }), (offset, trips) => {
      let now = 0;
      let ahead = offset;
      const clock: Clock = { now: () => now, sleep: async () => {} };
      const time = new RedisTime(clock);
      for (const { there, back, shift } of trips) {
        // Sometimes Redis's clock or the local clock is set to another time.
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
  const time = new RedisTime({ now: () => now, sleep: async () => {} });
  time.update(1_000, 0);
  now = 5_000;
  time.update(2_000, 1);
  expect(time.now()).toBe(6_000);
});
