import { expect, it } from 'vitest';
import { Arrivals } from './arrivals.ts';

it('measures from each change until each viewer has seen this change or a later one', () => {
  const arrivals = new Arrivals(2);
  arrivals.see(0, 1, 110);
  arrivals.see(1, 2, 230);
  arrivals.see(0, 2, 215);
  expect([...arrivals.delays([100, 200])]).toEqual([10, 130, 15, 30]);
  expect(arrivals.unseen(2)).toBe(0);
});

it('ignores values seen before, and the initial value', () => {
  const arrivals = new Arrivals(1);
  arrivals.see(0, 0, 90);
  arrivals.see(0, 1, 110);
  arrivals.see(0, 1, 160);
  expect([...arrivals.delays([100])]).toEqual([10]);
});

it('reports changes that never arrived, and leaves them out of the delays', () => {
  const arrivals = new Arrivals(3);
  arrivals.see(0, 2, 210);
  arrivals.see(1, 1, 120);
  expect(arrivals.unseen(2)).toBe(3);
  expect([...arrivals.delays([100, 200])]).toEqual([110, 20, 10]);
});
