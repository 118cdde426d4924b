import { describe, expect, it } from 'vitest';
import { ActivityMeter } from './activity.ts';

const start = 1_000_000;
const note = { orders: 10, messages: 20, ms: 4 };

describe('ActivityMeter', () => {
  it('shows a minute in whole buckets, the oldest first', () => {
    const meter = new ActivityMeter(start);
    meter.note(start, note);
    meter.note(start + 1_999, { orders: 10, messages: 40, ms: 8 });
    meter.note(start + 4_000, { orders: 1, messages: 1, ms: 1 });
    const { purchasesPerS, batchSize, commitMs, endedAt, bucketMs } = meter.read(start + 6_000, 7);
    expect({ endedAt, bucketMs }).toEqual({ endedAt: start + 6_000, bucketMs: 2_000 });
    expect(purchasesPerS).toHaveLength(30);
    expect(purchasesPerS.slice(-4)).toEqual([0, 10, 0, 0.5]);
    expect(batchSize.slice(-4)).toEqual([0, 30, 0, 1]);
    expect(commitMs.slice(-4)).toEqual([0, 6, 0, 1]);
  });

  it('shows in `recent` what has just begun', () => {
    const meter = new ActivityMeter(start);
    meter.note(start + 500, note);
    expect(meter.read(start + 1_000, 7)).toMatchObject({
      recent: { purchasesPerS: 10, batchSize: 20, commitMs: 4 },
      mailbox: 7,
    });
  });

  it('forgets what is older than a minute', () => {
    const meter = new ActivityMeter(start);
    meter.note(start, note);
    const { purchasesPerS, recent } = meter.read(start + 62_000, 0);
    expect(purchasesPerS.every((rate) => rate === 0)).toBe(true);
    expect(recent).toEqual({ purchasesPerS: 0, batchSize: 0, commitMs: 0 });
    meter.note(start + 62_000, { orders: 4, messages: 4, ms: 1 });
    expect(meter.read(start + 64_000, 0).purchasesPerS.filter((rate) => rate > 0)).toEqual([2]);
  });
});
