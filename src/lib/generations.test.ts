import { beforeEach, describe, expect, test } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { Generations } from './generations.ts';

describe('a map in two generations', () => {
  let clock: ManualClock;
  let map: Generations<string, number>;
  beforeEach(() => {
    clock = new ManualClock();
    map = new Generations(1_000, clock);
  });

  test.each([0, 300, 999])(
    'keeps an entry that was set after %i ms for its time, but not twice as long',
    async (ms) => {
      await clock.advance(ms);
      map.set('a', 1);
      await clock.advance(999);
      expect([map.get('a'), map.size]).toEqual([1, 1]);
      await clock.advance(1_001);
      expect([map.get('a'), map.size]).toEqual([undefined, 0]);
    },
  );

  test('has no entry from before a time without use', async () => {
    map.set('a', 1);
    await clock.advance(10_000);
    expect(map.size).toBe(0);
    map.set('b', 2);
    expect([map.get('a'), map.get('b'), map.size]).toEqual([undefined, 2, 1]);
  });

  test('keeps an entry that is set again as a new one, and counts it once', async () => {
    map.set('a', 1);
    await clock.advance(1_000);
    map.set('a', 2);
    expect([map.get('a'), map.size]).toEqual([2, 1]);
    await clock.advance(1_000);
    expect(map.get('a')).toBe(2);
  });

  test('forgets a deleted entry of either generation', async () => {
    map.set('old', 1);
    await clock.advance(1_000);
    map.set('new', 2);
    map.delete('old');
    map.delete('new');
    expect([map.get('old'), map.get('new'), map.size]).toEqual([undefined, undefined, 0]);
  });
});
