import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { Cached, singleFlight } from './cached.ts';

/** A load function whose loads end when the test says so. */
function pendingLoads() {
  const loads: PromiseWithResolvers<string>[] = [];
  const load = () => {
    const each = Promise.withResolvers<string>();
    loads.push(each);
    return each.promise;
  };
  return { loads, load };
}

describe('a single flight', () => {
  test('is shared by all concurrent callers, and starts again after its end', async () => {
    const { loads, load } = pendingLoads();
    const read = singleFlight(load);
    const both = Promise.all([read(), read()]);
    loads[0]?.resolve('one');
    expect(await both).toEqual(['one', 'one']);
    const next = read();
    expect(loads).toHaveLength(2);
    loads[1]?.reject(new Error('away'));
    await expect(next).rejects.toThrow('away');
    void read();
    expect(loads).toHaveLength(3);
  });
});

describe('a cached value', () => {
  test('is loaded once for all concurrent callers, and again when it is too old', async () => {
    const clock = new ManualClock();
    const { loads, load } = pendingLoads();
    const cached = new Cached(load, { clock, maxAgeMs: 1000 });
    const both = Promise.all([cached.get(), cached.get()]);
    loads[0]?.resolve('one');
    expect(await both).toEqual(['one', 'one']);
    await clock.advance(999);
    expect(await cached.get()).toBe('one');
    await clock.advance(1);
    const again = cached.get();
    expect(loads).toHaveLength(2);
    loads[1]?.resolve('two');
    expect(await again).toBe('two');
  });

  test('is fresh from the end of its load, not from its start', async () => {
    const clock = new ManualClock();
    const { loads, load } = pendingLoads();
    const cached = new Cached(load, { clock, maxAgeMs: 1000 });
    const first = cached.get();
    await clock.advance(5000);
    loads[0]?.resolve('one');
    await first;
    expect(await cached.get()).toBe('one');
  });

  test('can be peeked at without a load, also if it is old or being loaded again', async () => {
    const clock = new ManualClock();
    const { loads, load } = pendingLoads();
    const cached = new Cached(load, { clock, maxAgeMs: 0 });
    expect(cached.peek()).toBe(undefined);
    const first = cached.get();
    loads[0]?.resolve('one');
    await first;
    void cached.get();
    expect(cached.peek()).toBe('one');
    expect(loads).toHaveLength(2);
  });

  test('is loaded again after a failed load, and only the callers of the failed load get the error', async () => {
    const clock = new ManualClock();
    const { loads, load } = pendingLoads();
    const cached = new Cached(load, { clock, maxAgeMs: 1000 });
    const both = Promise.allSettled([cached.get(), cached.get()]);
    loads[0]?.reject(new Error('away'));
    expect((await both).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    const next = cached.get();
    loads[1]?.resolve('two');
    expect(await next).toBe('two');
  });

  test('is loaded again if it is cleared during its load, and the old result is not cached', async () => {
    const clock = new ManualClock();
    const { loads, load } = pendingLoads();
    const cached = new Cached(load, { clock, maxAgeMs: 1000 });
    const before = cached.get();
    cached.clear();
    const after = cached.get();
    loads[1]?.resolve('new');
    await after;
    loads[0]?.resolve('old');
    expect(await before).toBe('old');
    expect(await cached.get()).toBe('new');
  });

  test('can have a maximum age that depends on the value', async () => {
    const clock = new ManualClock();
    let loaded = 0;
    const options = { clock, maxAgeMs: (value: number) => value * 1000 };
    const cached = new Cached(async () => ++loaded, options);
    await cached.get();
    await clock.advance(1000);
    await cached.get();
    await clock.advance(1000);
    expect(await cached.get()).toBe(2);
  });
});
