import { expect, it } from 'vitest';
import { allowedOf, rateLimitsContract, takeMany } from '../../testing/contract/rate-limits.ts';
import { systemClock } from '../system/clock.ts';
import { memoryRateLimits } from './memory.ts';

rateLimitsContract('memory', async () => memoryRateLimits({ clock: systemClock }));

it('gives a key nine tenths at least, however many share its rough count', async () => {
  const limiter = memoryRateLimits({ clock: systemClock }).limiter({ name: 'p', count: 20, windowS: 60 });
  for (let buyer = 0; buyer < 150_000; buyer++) await limiter.take(`buyer-${buyer}`);
  const allowed = new Set<number>();
  for (let late = 0; late < 50; late++) allowed.add(allowedOf(await takeMany(limiter, `late-${late}`, 30)));
  expect(Math.min(...allowed)).toBeGreaterThanOrEqual(18);
  expect(Math.max(...allowed)).toBe(20);
});
