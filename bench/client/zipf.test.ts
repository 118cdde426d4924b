import { expect, it } from 'vitest';
import { zipf } from './zipf.ts';

/** Draws evenly over the whole range instead of at random. */
function counts(size: number, exponent: number, draws: number): number[] {
  let drawn = 0;
  const draw = zipf(size, exponent, () => (drawn++ + 0.5) / draws);
  const found = new Array<number>(size).fill(0);
  for (let index = 0; index < draws; index++) found[draw()]! += 1;
  return found;
}

it('draws rank k in proportion to 1 / (k + 1)', () => {
  expect(counts(3, 1, 1100)).toEqual([600, 300, 200]);
});

it('draws uniformly with exponent 0', () => {
  expect(counts(4, 0, 400)).toEqual([100, 100, 100, 100]);
});

it('draws the only value of size 1', () => {
  expect(counts(1, 1, 5)).toEqual([5]);
});
