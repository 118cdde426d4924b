import { expect, test } from 'vitest';
import { minorUnitsOf } from './currency.ts';

test.each([
  ['EUR', 100],
  ['USD', 100],
  ['JPY', 1],
  ['KWD', 1_000],
  ['HUF', 100],
  ['CLP', 1],
])('one %s has %i minor units', (currency, units) => {
  expect(minorUnitsOf(currency)).toBe(units);
});
