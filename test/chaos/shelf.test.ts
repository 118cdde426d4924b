import { expect, it } from 'vitest';
import { Prng } from '../simulation/prng.ts';
import { Shelf } from './shelf.ts';

it('offers small and large packages, and replaces sold-out ones after a while', () => {
  let now = 0;
  const shelf = new Shelf(20, new Prng(1), () => now);
  const quotas = new Map(shelf.packages.map(({ id, quota }) => [id, quota]));
  const offered = new Set(Array.from({ length: 2_000 }, () => shelf.pick()));
  expect(offered.size).toBe(11);
  const hot = shelf.pickHot();
  expect(quotas.get(hot)).toBeLessThanOrEqual(5);
  shelf.noteSoldOut(hot);
  const hots = () => new Set(Array.from({ length: 100 }, () => shelf.pickHot()));
  expect(hots()).toContain(hot);
  now += 10_000;
  expect(hots()).not.toContain(hot);
});

it('always offers packages that never sell out', () => {
  let now = 0;
  const shelf = new Shelf(0.5, new Prng(1), () => now);
  for (let round = 0; round < 5_000; round++) {
    shelf.noteSoldOut(shelf.pickHot());
    now += 1_000;
  }
  const quotas = new Map(shelf.packages.map(({ id, quota }) => [id, quota]));
  const large = Array.from({ length: 1_000 }, () => quotas.get(shelf.pick()) as number);
  expect(large.filter((quota) => quota >= 200_000).length).toBeGreaterThan(200);
});
