import { expect, it } from 'vitest';
import { SendQueue } from './send-queue.ts';

it('returns entries in order, also when there are many', () => {
  const waiting = new SendQueue();
  for (let time = 0; time < 20_000; time++) waiting.add(time);
  for (let time = 0; time < 15_000; time++) expect(waiting.take()).toBe(time);
  waiting.add(20_000);
  for (let time = 15_000; time <= 20_000; time++) expect(waiting.take()).toBe(time);
  expect(waiting.take()).toBeUndefined();
});

it('drops entries that have waited too long, and reports them', () => {
  const waiting = new SendQueue();
  for (const time of [1, 2, 3, 4]) waiting.add(time);
  const dropped: number[] = [];
  waiting.dropBefore(3, (time) => dropped.push(time));
  expect(dropped).toEqual([1, 2]);
  expect(waiting.take()).toBe(3);
});
