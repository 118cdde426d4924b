import { expect, it } from 'vitest';
import { backoffMs } from './backoff.ts';

it('doubles the pause with every failure, up to the maximum', () => {
  const pauses = [1, 2, 3, 4, 5, 2000].map((failures) => backoffMs(failures, { firstMs: 50, maxMs: 300 }));
  expect(pauses).toEqual([50, 100, 200, 300, 300, 300]);
});

it('grows by another factor if one is given', () => {
  expect(backoffMs(3, { firstMs: 10, maxMs: 1000, factor: 3 })).toBe(90);
});

it('shortens the pause at random by up to the jitter', () => {
  const options = { firstMs: 100, maxMs: 1000, jitter: 0.5 };
  expect(backoffMs(1, options, { fraction: () => 0 })).toBe(100);
  expect(backoffMs(1, options, { fraction: () => 0.8 })).toBe(60);
});
