import { expect, test } from 'vitest';
import { fakeOrder, fakeSnapshot } from '../../../test/support/fake-engine.ts';
import { Coalescer } from './coalescer.ts';

test('keeps the newest change of each package, order and queue, in the order of the changes', () => {
  const waiting = new Coalescer(100);
  waiting.add({ package: fakeSnapshot({ id: 1, quota: 1 }) });
  waiting.add({ order: fakeOrder({ id: 'A', status: 'queued' }) });
  waiting.add({ package: fakeSnapshot({ id: 2 }) });
  waiting.add({ order: fakeOrder({ id: 'A', status: 'held' }) });
  waiting.add({ package: fakeSnapshot({ id: 1, quota: 7 }) });
  expect(waiting.take(10)).toEqual([
    { package: fakeSnapshot({ id: 2 }) },
    { order: fakeOrder({ id: 'A', status: 'held' }) },
    { package: fakeSnapshot({ id: 1, quota: 7 }) },
  ]);
  expect(waiting.size).toBe(0);
});

test('keeps the last whole queue together with the newer head of this queue', () => {
  const waiting = new Coalescer(100);
  const all = { packageId: 1, first: [1], all: [1, 3] };
  waiting.add({ queue: { packageId: 1, first: [0] } });
  waiting.add({ queue: all });
  waiting.add({ queue: { packageId: 1, first: [2] } });
  waiting.add({ queue: { packageId: 1, first: [3] } });
  expect(waiting.take(10)).toEqual([{ queue: all }, { queue: { packageId: 1, first: [3] } }]);
});

test('drops the oldest changes beyond its limit, and counts the dropped changes', () => {
  const waiting = new Coalescer(3);
  for (const id of ['A', 'B', 'C', 'D', 'E']) waiting.add({ order: fakeOrder({ id }) });
  expect(waiting.takeDropped()).toBe(2);
  expect(waiting.takeDropped()).toBe(0);
  expect(waiting.take(2)).toEqual([{ order: fakeOrder({ id: 'C' }) }, { order: fakeOrder({ id: 'D' }) }]);
  expect(waiting.size).toBe(1);
});
