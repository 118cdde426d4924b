import { expect, it } from 'vitest';
import { Prng } from '../simulation/prng.ts';
import { PackageStock } from './package-stock.ts';

it('offers small and large packages, and replaces sold-out ones after a while', () => {
  let now = 0;
  const stock = new PackageStock(20, new Prng(1), () => now);
  const quotas = new Map(stock.packages.map(({ id, quota }) => [id, quota]));
  const offered = new Set(Array.from({ length: 2_000 }, () => stock.pick()));
  expect(offered.size).toBe(11);
  const hot = stock.pickHot();
  expect(quotas.get(hot)).toBeLessThanOrEqual(5);
  stock.noteSoldOut(hot);
  const hots = () => new Set(Array.from({ length: 100 }, () => stock.pickHot()));
  expect(hots()).toContain(hot);
  now += 10_000;
  expect(hots()).not.toContain(hot);
});

it('always offers packages that never sell out', () => {
  let now = 0;
  const stock = new PackageStock(0.5, new Prng(1), () => now);
  for (let round = 0; round < 5_000; round++) {
    stock.noteSoldOut(stock.pickHot());
    now += 1_000;
  }
  const quotas = new Map(stock.packages.map(({ id, quota }) => [id, quota]));
  const large = Array.from({ length: 1_000 }, () => quotas.get(stock.pick()) as number);
  expect(large.filter((quota) => quota >= 200_000).length).toBeGreaterThan(200);
});
