import { expect, it } from 'vitest';
import { decimalNumber, wholeNumber } from './numbers.ts';

it.each(['', ' 1', '1 ', '-1', '+1', '1.0', '1e3', '0x1', 'one', '٣', '9007199254740993'])(
  'refuses %j as a whole number',
  (text) => {
    expect(wholeNumber(text)).toBe(undefined);
  },
);

it('reads whole numbers within the range', () => {
  expect(['0', '007', '123'].map((text) => wholeNumber(text))).toEqual([0, 7, 123]);
  expect(['1', '2', '4', '5'].map((text) => wholeNumber(text, 2, 4))).toEqual([undefined, 2, 4, undefined]);
});

it('reads numbers with decimals within the range', () => {
  expect(['0', '0.25', '12.50'].map((text) => decimalNumber(text))).toEqual([0, 0.25, 12.5]);
  expect(['.5', '1.', '-1', '1,5', '1e3'].map((text) => decimalNumber(text))).toEqual(
    Array(5).fill(undefined),
  );
  expect(decimalNumber('1.5', 0, 1)).toBe(undefined);
});
