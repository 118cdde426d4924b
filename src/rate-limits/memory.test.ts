import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { allowedOf, rateLimitsContract, takeMany } from '../../test/contract/rate-limits.ts';
import { systemClock } from '../lib/clock.ts';
import { memoryRateLimits } from './memory.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

rateLimitsContract('memory', async () => memoryRateLimits({ clock: systemClock }));

it('gives a key at least nine tenths of the limit when other keys share its approximate counter', async () => {
  const limiter = memoryRateLimits({ clock: systemClock }).limiter({ name: 'p', count: 20, windowS: 60 });
  for (let buyer = 0; buyer < 150_000; buyer++) await limiter.take(`buyer-${buyer}`);
  const allowed = new Set<number>();
  for (let late = 0; late < 50; late++) allowed.add(allowedOf(await takeMany(limiter, `late-${late}`, 30)));
  expect(Math.min(...allowed)).toBeGreaterThanOrEqual(18);
  expect(Math.max(...allowed)).toBe(20);
});

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

it('evicts the oldest exact counters above a maximum', async () => {
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
