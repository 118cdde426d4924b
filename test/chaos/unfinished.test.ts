import { expect, it } from 'vitest';
import type { EraseEntry, LookUpEntry } from './history.ts';
import { Unfinished } from './unfinished.ts';

const seen = (status: string, sentAt: number, id = 'A'): LookUpEntry => ({
  kind: 'look-up',
  ...{ orderId: id, email: 'a@example.com', origin: 'http://a', sentAt, endedAt: sentAt + 1, status: 200 },
  order: { id, packageId: 1, email: 'a@example.com', status },
});

it('knows the orders whose last seen status is not final', () => {
  const unfinished = new Unfinished();
  const ids = () => unfinished.orders.map(({ orderId }) => orderId);
  unfinished.record(seen('queued', 1));
  unfinished.record(seen('held', 2, 'B'));
  expect(ids()).toEqual(['A', 'B']);
  unfinished.record(seen('confirmed', 3));
  expect(ids()).toEqual(['B']);
  unfinished.record(seen('cancelling', 4));
  expect(ids()).toEqual(['B', 'A']);
});

it('ignores an answer if a later request was answered first', () => {
  const unfinished = new Unfinished();
  unfinished.record(seen('confirmed', 5));
  unfinished.record(seen('held', 4));
  expect(unfinished.orders).toEqual([]);
});

it('counts the orders of an erased email as ended, unless the erasure left some', () => {
  const erased = (left: number, sentAt: number): EraseEntry => ({
    kind: 'erase',
    ...{ email: 'a@example.com', origin: 'http://a', sentAt, endedAt: sentAt + 1, status: 200, left },
  });
  const unfinished = new Unfinished();
  const count = () => unfinished.orders.length;
  // Two requests that were under way together: the one that was sent first has the newer answer.
  unfinished.record(seen('confirmed', 1));
  unfinished.record(seen('held', 2));
  unfinished.record(erased(1, 3));
  expect(count()).toBe(1);
  unfinished.record({ ...erased(0, 4), email: 'b@example.com' });
  expect(count()).toBe(1);
  unfinished.record(erased(0, 5));
  expect(count()).toBe(0);
  unfinished.record(seen('held', 4));
  expect(count()).toBe(0);
});
