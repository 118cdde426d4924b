import { expect, test } from 'vitest';
import { Mailbox } from './mailbox.ts';

test('a full mailbox refuses, but takes what must not be refused', () => {
  const mailbox = new Mailbox<number>(2);
  expect([mailbox.offer(1), mailbox.offer(2), mailbox.offer(3)]).toEqual([true, true, false]);
  mailbox.put(4);
  expect(mailbox.take(10)).toEqual([1, 2, 4]);
});

test('Q5 messages come out in the order they came in, also those put back', () => {
  const mailbox = new Mailbox<number>(10);
  for (const message of [1, 2, 3, 4]) mailbox.offer(message);
  const taken = mailbox.take(2);
  mailbox.putBack(taken);
  expect(mailbox.take(3)).toEqual([1, 2, 3]);
  expect(mailbox.size).toBe(1);
});

test('a reader wakes on a message and on its signal, and leaves no listener behind', async () => {
  const mailbox = new Mailbox<number>(10);
  const stop = new AbortController();
  const arrival = mailbox.arrival(stop.signal);
  mailbox.offer(1);
  await arrival;
  mailbox.take(1);
  const stopped = mailbox.arrival(stop.signal);
  stop.abort();
  await stopped;
  await mailbox.arrival(stop.signal);
  expect(mailbox.size).toBe(0);
});
