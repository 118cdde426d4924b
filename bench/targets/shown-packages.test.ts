import { expect, it } from 'vitest';
import { differences } from './shown-packages.ts';

const one = { id: 1, flight: 'TK 1', stay: '2030-01-01', price: 100, quota: 5 };
const two = { ...one, id: 2 };

it('returns nothing if all instances show the same packages; remaining units may differ', () => {
  const sold = { ...one, remaining: 0 };
  expect(differences([1], ['a', 'b', 'c'], [[one, two], [sold], [two, one]])).toEqual([]);
  expect(differences([1], ['a'], [[one]])).toEqual([]);
});

it('names instances that show another package or no package under this id', () => {
  const lines = differences([1, 2], ['a', 'b', 'c'], [[one, two], [one], [{ ...one, quota: 6 }, two]]);
  expect(lines).toEqual([
    expect.stringMatching(/^b does not show package 2 as a does/),
    expect.stringMatching(/^c does not show package 1 as a does/),
  ]);
});

it('lists at most a few packages', () => {
  const many = Array.from({ length: 1000 }, (_, index) => index + 1);
  const all = many.map((id) => ({ ...one, id }));
  expect(differences(many, ['a', 'b'], [all, []])[0]).toContain('1, 2, 3, 4, 5 and 995 more');
});
