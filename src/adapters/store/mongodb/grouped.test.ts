import { describe, expect, test } from 'vitest';
import { StoreUnavailableError } from '../../../ports/store.ts';
import { Grouped } from './grouped.ts';

/** Batches that end when the test says so. */
function stage() {
  const batches: { items: readonly number[]; end: PromiseWithResolvers<readonly string[]> }[] = [];
  const grouped = new Grouped<number, string>((items) => {
    const end = Promise.withResolvers<readonly string[]>();
    batches.push({ items, end });
    return end.promise;
  });
  return { batches, grouped };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

describe('grouped calls', () => {
  test('of one turn go together, and each gets its own result', async () => {
    const { batches, grouped } = stage();
    const results = Promise.all([grouped.call(1), grouped.call(2)]);
    await until(() => batches.length === 1);
    expect(batches[0]?.items).toEqual([1, 2]);
    batches[0]?.end.resolve(['one', 'two']);
    expect(await results).toEqual(['one', 'two']);
  });

  test('never join a batch that has begun, and gather while it runs', async () => {
    const { batches, grouped } = stage();
    const first = grouped.call(1);
    await until(() => batches.length === 1);
    const later = Promise.all([grouped.call(2), grouped.call(3)]);
    batches[0]?.end.resolve(['one']);
    await first;
    await until(() => batches.length === 2);
    expect(batches[1]?.items).toEqual([2, 3]);
    batches[1]?.end.resolve(['two', 'three']);
    expect(await later).toEqual(['two', 'three']);
  });

  test('of which one is refused fail alone', async () => {
    const refused = new Grouped<number, number>(async (items) => {
      if (items.includes(2)) throw new RangeError('two');
      return items.map((item) => item * 10);
    });
    const results = await Promise.allSettled([1, 2, 3].map((item) => refused.call(item)));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await refused.call(4)).toBe(40);
  });

  test('fail together when the store is away, without being sent one by one', async () => {
    let batches = 0;
    const away = new Grouped<number, number>(async () => {
      batches += 1;
      throw new StoreUnavailableError('away');
    });
    const results = await Promise.allSettled([1, 2, 3].map((item) => away.call(item)));
    expect(results.every(({ status }) => status === 'rejected')).toBe(true);
    expect(batches).toBe(1);
  });

  test('fill batches of a bounded size', async () => {
    const sizes: number[] = [];
    const grouped = new Grouped<number, number>(async (items) => {
      sizes.push(items.length);
      return items;
    });
    await Promise.all(Array.from({ length: 1_200 }, (_, item) => grouped.call(item)));
    expect(sizes).toEqual([500, 500, 200]);
  });
});
