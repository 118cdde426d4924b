import { describe, expect, test } from 'vitest';
import { StoreUnavailableError } from '../store.ts';
import { Grouped } from './grouped.ts';

const limitMs = 60_000;

/** Batches that end when the test says so. */
function stage() {
  const batches: { items: readonly number[]; end: PromiseWithResolvers<readonly string[]> }[] = [];
  const run = (items: readonly number[]) => {
    const end = Promise.withResolvers<readonly string[]>();
    batches.push({ items, end });
    return end.promise;
  };
  return { batches, grouped: new Grouped<number, string>({ run, limitMs }) };
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
    const run = async (items: readonly number[]) => {
      if (items.includes(2)) throw new RangeError('two');
      return items.map((item) => item * 10);
    };
    const refused = new Grouped<number, number>({ run, limitMs });
    const results = await Promise.allSettled([1, 2, 3].map((item) => refused.call(item)));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await refused.call(4)).toBe(40);
  });

  test('fail together when the store is away, those that wait too, without being sent one by one', async () => {
    const { batches, grouped } = stage();
    const outcomes = Promise.allSettled([grouped.call(1), grouped.call(2)]);
    await until(() => batches.length === 1);
    const waiting = Promise.allSettled([grouped.call(3)]);
    batches[0]?.end.reject(new StoreUnavailableError('away'));
    for (const { status } of [...(await outcomes), ...(await waiting)]) expect(status).toBe('rejected');
    expect(batches).toHaveLength(1);
    const next = grouped.call(4);
    await until(() => batches.length === 2);
    batches[1]?.end.resolve(['four']);
    expect(await next).toBe('four');
  });

  test('are refused unsent when the batches before them took too long', async () => {
    const sent: number[] = [];
    const first = Promise.withResolvers<readonly number[]>();
    const run = async (items: readonly number[]) => {
      sent.push(...items);
      return sent.length === 1 ? first.promise : items;
    };
    const grouped = new Grouped<number, number>({ run, limitMs: 1 });
    const begun = grouped.call(1);
    await until(() => sent.length === 1);
    const late = grouped.call(2).catch((error: Error) => error.name);
    await new Promise((resolve) => setTimeout(resolve, 20));
    first.resolve([10]);
    expect(await begun).toBe(10);
    expect(await late).toBe('StoreUnavailableError');
    expect(sent).toEqual([1]);
  });

  test('fill batches of a bounded weight, whatever the first of them weighs', async () => {
    const batches: (readonly number[])[] = [];
    const run = async (items: readonly number[]) => {
      batches.push(items);
      return items;
    };
    const grouped = new Grouped<number, number>({ run, limitMs, weigh: (item) => item, weightMax: 10 });
    await Promise.all([50, 4, 4, 4, 10, 1].map((item) => grouped.call(item)));
    expect(batches).toEqual([[50], [4, 4], [4], [10], [1]]);
  });
});
