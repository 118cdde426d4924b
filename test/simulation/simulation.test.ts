import { describe, expect, test } from 'vitest';
import { simulate } from './simulation.ts';

const seeds = Array.from({ length: 150 }, (_, index) => index + 1);

describe('the simulation', () => {
  test('Q1 Q2 Q3 Q4 Q5 Q6 Q7 Q8 Q9 Q10 hold in a first range of seeds', { timeout: 120_000 }, async () => {
    for (const seed of seeds) expect((await simulate(seed)).violation, `seed ${seed}`).toBeUndefined();
  });

  test.each([
    [11_658, 'Q4 sold out was said in a batch that also sent a unit on its way back'],
    [
      82_252,
      'Q7 a purchase that a former life had stored was dropped when it came again to a clock that had jumped',
    ],
  ])('seed %i: %s', async (seed) => {
    expect((await simulate(seed)).violation).toBeUndefined();
  });

  test('gives the same history for the same seed, and another one for another', async () => {
    const [one, again, other] = [await simulate(7), await simulate(7), await simulate(8)];
    expect(again).toEqual(one);
    expect(other.hash).not.toBe(one.hash);
  });
});
