import { describe, expect, test } from 'vitest';
import { Batcher } from './batcher.ts';

class AwayError extends Error {}

/** A batcher whose batches end when the test says so. */
function stage() {
  const batches: { items: readonly number[]; end: PromiseWithResolvers<readonly string[]> }[] = [];
  const run = (items: readonly number[]) => {
    const end = Promise.withResolvers<readonly string[]>();
    batches.push({ items, end });
    return end.promise;
  };
  return { batches, batcher: new Batcher<number, string>({ run, onError: () => 'all' }) };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

describe('a batcher', () => {
  test('runs the items of one turn together, and gives each its own result', async () => {
    const { batches, batcher } = stage();
    const results = Promise.all([batcher.add(1), batcher.add(2)]);
    await until(() => batches.length === 1);
    expect(batches[0]?.items).toEqual([1, 2]);
    batches[0]?.end.resolve(['one', 'two']);
    expect(await results).toEqual(['one', 'two']);
  });

  test('gathers items that arrive while a batch runs into the next batch', async () => {
    const { batches, batcher } = stage();
    const first = batcher.add(1);
    await until(() => batches.length === 1);
    const later = Promise.all([batcher.add(2), batcher.add(3)]);
    batches[0]?.end.resolve(['one']);
    await first;
    await until(() => batches.length === 2);
    expect(batches[1]?.items).toEqual([2, 3]);
    batches[1]?.end.resolve(['two', 'three']);
    expect(await later).toEqual(['two', 'three']);
  });

  test('splits a batch until only the item at fault is rejected', async () => {
    const run = async (items: readonly number[]) => {
      if (items.includes(2)) throw new RangeError('two');
      return items.map((item) => item * 10);
    };
    const splitting = new Batcher<number, number>({ run, onError: () => 'split' });
    const results = await Promise.allSettled([1, 2, 3].map((item) => splitting.add(item)));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await splitting.add(4)).toBe(40);
  });

  test('rejects waiting items too when onError says all, and runs items that are added later', async () => {
    const { batches, batcher } = stage();
    const outcomes = Promise.allSettled([batcher.add(1), batcher.add(2)]);
    await until(() => batches.length === 1);
    const waiting = Promise.allSettled([batcher.add(3)]);
    batches[0]?.end.reject(new AwayError());
    for (const { status } of [...(await outcomes), ...(await waiting)]) expect(status).toBe('rejected');
    expect(batches).toHaveLength(1);
    const next = batcher.add(4);
    await until(() => batches.length === 2);
    batches[1]?.end.resolve(['four']);
    expect(await next).toBe('four');
  });

  test('rejects items that have waited too long, without running them', async () => {
    const sent: number[] = [];
    const first = Promise.withResolvers<readonly number[]>();
    const run = async (items: readonly number[]) => {
      sent.push(...items);
      return sent.length === 1 ? first.promise : items;
    };
    const batcher = new Batcher<number, number>({ run, waitMax: { ms: 1, late: () => new AwayError() } });
    const begun = batcher.add(1);
    await until(() => sent.length === 1);
    const late = batcher.add(2).catch((error: unknown) => error);
    await new Promise((resolve) => setTimeout(resolve, 20));
    first.resolve([10]);
    expect(await begun).toBe(10);
    expect(await late).toBeInstanceOf(AwayError);
    expect(sent).toEqual([1]);
  });

  test('limits the weight of a batch, except for a single item that weighs more', async () => {
    const batches: (readonly number[])[] = [];
    const run = async (items: readonly number[]) => {
      batches.push(items);
      return items;
    };
    const batcher = new Batcher<number, number>({ run, weigh: (item) => item, weightMax: 10 });
    await Promise.all([50, 4, 4, 4, 10, 1].map((item) => batcher.add(item)));
    expect(batches).toEqual([[50], [4, 4], [4], [10], [1]]);
  });

  test('rejects an item whose result is an Error, and no other', async () => {
    const run = (items: readonly number[]) =>
      items.map((item) => (item === 2 ? new RangeError('two') : item));
    const batcher = new Batcher<number, number>({ run });
    const results = await Promise.allSettled([1, 2, 3].map((item) => batcher.add(item)));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  test('knows how many items wait or run, and when there are none', async () => {
    const { batches, batcher } = stage();
    await batcher.idle();
    const results = Promise.all([batcher.add(1), batcher.add(2)]);
    let isIdle = false;
    const idle = batcher.idle().then(() => (isIdle = true));
    await until(() => batches.length === 1);
    void batcher.add(3).catch(() => {});
    expect(batcher.size).toBe(3);
    batches[0]?.end.resolve(['one', 'two']);
    await results;
    await until(() => batches.length === 2);
    expect(isIdle).toBe(false);
    batches[1]?.end.reject(new AwayError());
    await idle;
    expect(batcher.size).toBe(0);
  });
});
