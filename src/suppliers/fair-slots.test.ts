import { beforeEach, describe, expect, it } from 'vitest';
import { runUntilIdle } from '../../test/support/manual-clock.ts';
import { FairSlots, type ReleaseSlot } from './fair-slots.ts';

const never = new AbortController().signal;

describe('Q12 FairSlots', () => {
  let slots: FairSlots;
  /** The slots in use, by package, in the order in which they were given. */
  let inUse: { packageId: number; release: ReleaseSlot }[];
  beforeEach(() => {
    slots = new FairSlots(16);
    inUse = [];
  });

  async function take(packageId: number, { signal = never, isUrgent = false } = {}): Promise<void> {
    const release = await slots.take(packageId, signal, isUrgent);
    inUse.push({ packageId, release });
  }

  function takeMany(packageId: number, count: number): void {
    for (let each = 0; each < count; each++) void take(packageId);
  }

  const used = (packageId: number) => inUse.filter((each) => each.packageId === packageId).length;

  async function release(packageId: number): Promise<void> {
    const index = inUse.findIndex((each) => each.packageId === packageId);
    inUse.splice(index, 1)[0]?.release();
    await runUntilIdle();
  }

  it('give a single package a half, and two packages a third each', async () => {
    takeMany(1, 100);
    await runUntilIdle();
    expect(used(1)).toBe(8);
    takeMany(2, 100);
    await runUntilIdle();
    expect([used(1), used(2)]).toEqual([8, 4]);
    for (const _ of [1, 2, 3, 4, 5, 6]) await release(1);
    expect([used(1), used(2)]).toEqual([5, 6]);
  });

  it('give the next slots to packages that use none, next to many that want all', async () => {
    for (let packageId = 1; packageId <= 10; packageId++) takeMany(packageId, 100);
    takeMany(11, 1);
    await runUntilIdle();
    expect([inUse.length, used(11)]).toEqual([16, 0]);
    for (let each = 0; each < 6; each++) await release(1);
    expect([1, 6, 7, 8, 9, 10, 11].map(used)).toEqual([2, 1, 1, 1, 1, 1, 1]);
  });

  it('serve packages in turn when all slots are in use', async () => {
    for (let packageId = 1; packageId <= 16; packageId++) takeMany(packageId, 1);
    takeMany(20, 3);
    takeMany(21, 3);
    await runUntilIdle();
    for (let packageId = 1; packageId <= 5; packageId++) await release(packageId);
    expect([used(20), used(21)]).toEqual([2, 2]);
  });

  it('let an urgent call go before the others of its package, and beyond its share', async () => {
    takeMany(1, 100);
    void take(1, { isUrgent: true });
    await runUntilIdle();
    expect(used(1)).toBe(9);
    for (let each = 0; each < 20; each++) void take(1, { isUrgent: true });
    await runUntilIdle();
    expect(used(1)).toBe(11);
    takeMany(2, 1);
    await runUntilIdle();
    expect(used(2)).toBe(1);
  });

  it('pass a slot on when a caller that waits is stopped', async () => {
    takeMany(1, 8);
    const stop = new AbortController();
    const stopped = take(1, { signal: stop.signal });
    takeMany(1, 1);
    stop.abort(new Error('stopped'));
    await expect(stopped).rejects.toThrow('stopped');
    await release(1);
    expect(used(1)).toBe(8);
  });

  it('keep nothing of packages that need no slot', async () => {
    for (let packageId = 1; packageId <= 16; packageId++) takeMany(packageId, 1);
    const stop = new AbortController();
    const stopped = [20, 20, 21].map((packageId) => take(packageId, { signal: stop.signal }));
    stop.abort(new Error('stopped'));
    await Promise.allSettled(stopped);
    for (let packageId = 1; packageId <= 16; packageId++) await release(packageId);
    expect(slots.packages).toBe(0);
    takeMany(1, 100);
    await runUntilIdle();
    expect(used(1)).toBe(8);
  });
});
