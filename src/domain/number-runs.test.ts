import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Positions, runsOf } from './number-runs.ts';

test('numbers are told as runs without gaps', () => {
  expect(runsOf([])).toEqual([]);
  expect(runsOf([3, 4, 5, 9, 11, 12])).toEqual([3, 5, 9, 9, 11, 12]);
});

test('the runs have every number at its position, and no other number, and count the numbers below each', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(60)), (some) => {
      const numbers = some.sort((one, other) => one - other);
      const positions = new Positions(runsOf(numbers));
      for (let number = 0; number <= 61; number++) {
        const index = numbers.indexOf(number);
        expect(positions.of(number)).toBe(index === -1 ? undefined : index + 1);
        expect(positions.below(number)).toBe(numbers.filter((other) => other < number).length);
      }
    }),
  );
});
