import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { allowedOf, rateLimitsContract, takeMany } from '../../test/contract/rate-limits.ts';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { systemClock } from '../lib/clock.ts';
import { memoryRateLimits } from './memory.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

rateLimitsContract('memory', async () => memoryRateLimits({ clock: systemClock }));

it('enforces limits of any size', async () => {
  const limiter = memoryRateLimits({ clock: systemClock }).limiter({
    name: 'p',
    count: 700_000,
    windowS: 60,
  });
  let allowed = 0;
  for (let use = 0; use < 700_100; use++) if ((await limiter.take('ana')).isAllowed) allowed += 1;
  expect(allowed).toBe(700_000);
});

it('forgets the oldest windows above a maximum', async () => {
  const heapUsed = () => process.memoryUsage().heapUsed;
  const limiter = memoryRateLimits({ clock: systemClock }).limiter({ name: 'p', count: 2, windowS: 3_600 });
  for (let buyer = 0; buyer < 60_000; buyer++) await limiter.take(`buyer-${buyer}@example.com`);
  collect();
  const before = heapUsed();
  for (let buyer = 60_000; buyer < 210_000; buyer++) await limiter.take(`buyer-${buyer}@example.com`);
  collect();
  expect(heapUsed() - before).toBeLessThan(10 * 1024 * 1024);
  expect(allowedOf(await takeMany(limiter, 'buyer-209999@example.com', 5))).toBe(1);
  expect(allowedOf(await takeMany(limiter, 'buyer-0@example.com', 5))).toBe(2);
});

it('begins a window with the first use of its key, also if the time was set back', async () => {
  const clock = new ManualClock();
  const limiter = memoryRateLimits({ clock }).limiter({ name: 'p', count: 2, windowS: 10 });
  expect(allowedOf(await takeMany(limiter, 'ana', 3))).toBe(2);
  await clock.advance(4_000);
  expect(allowedOf(await takeMany(limiter, 'eve', 3))).toBe(2);
  clock.jump(-3_600_000);
  await clock.advance(6_000);
  expect(allowedOf(await takeMany(limiter, 'ana', 3))).toBe(2);
  expect(await limiter.take('eve')).toEqual({ isAllowed: false, remaining: 0, resetMs: 4_000 });
});
