import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { keptFor } from './kept.ts';

describe('keptFor', () => {
  it('reads once for all who ask while it is under way, and as long as it is good', async () => {
    const clock = new ManualClock();
    let readings = 0;
    const read = keptFor(1_000, clock, async () => {
      await clock.sleep(5_000);
      return ++readings;
    });
    const first = read();
    await clock.advance(3_000);
    const second = read();
    await clock.advance(2_000);
    expect(await Promise.all([first, second, read()])).toEqual([1, 1, 1]);
    await clock.advance(1_000);
    const third = read();
    await clock.advance(5_000);
    expect(await third).toBe(2);
  });

  it('keeps no failure', async () => {
    let readings = 0;
    const read = keptFor(1_000, new ManualClock(), async () => {
      if (++readings === 1) throw new Error('away');
      return readings;
    });
    await expect(read()).rejects.toThrow('away');
    expect(await read()).toBe(2);
  });
});
