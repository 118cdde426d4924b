import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { DrainRate } from './drain-rate.ts';

const options = { batchMax: 1_000, shedAfterMs: 1_000 };

/** Commits one batch after the other; returns when that was. */
function commitAll(rate: DrainRate, from: number, batches: { messages: number; tookMs: number }[]): number {
  let now = from;
  for (const { messages, tookMs } of batches) {
    rate.committed(messages, now, now + tookMs);
    now += tookMs;
  }
  return now;
}

const fullBatches = (count: number, tookMs: number) =>
  Array.from({ length: count }, () => ({ messages: 1_000, tookMs }));

/** A mailbox that has been emptied at this rate for a while, and the time. */
function drained(perSecond: number): { rate: DrainRate; now: number } {
  const rate = new DrainRate(options);
  return { rate, now: commitAll(rate, 1_000_000, fullBatches(50, 1_000_000 / perSecond)) };
}

describe('turns away who would wait more than a second', () => {
  it.each([
    [4_000, 3_900, false],
    [4_000, 4_100, true],
    [10_000, 9_900, false],
    [10_000, 10_100, true],
  ])('at %i per second, behind %i: %s', (perSecond, messages, isTooLong) => {
    const { rate, now } = drained(perSecond);
    expect(rate.isTooLong(messages, now)).toBe(isTooLong);
  });

  it('follows a store that gets slower, and one that gets faster', () => {
    const { rate, now } = drained(10_000);
    expect(rate.isTooLong(2_500, now)).toBe(false);
    const slower = commitAll(rate, now, fullBatches(20, 500));
    expect(rate.isTooLong(2_500, slower)).toBe(true);
    const faster = commitAll(rate, slower, fullBatches(20, 50));
    expect(rate.isTooLong(15_000, faster)).toBe(false);
  });
});

test('always takes what keeps two more commits full, however slow they are', () => {
  const { rate, now } = drained(100);
  expect(rate.isTooLong(1_999, now)).toBe(false);
  expect(rate.isTooLong(2_000, now)).toBe(true);
});

describe('turns nobody away', () => {
  it('before anything was committed: after a takeover', () => {
    expect(new DrainRate(options).isTooLong(19_999, 0)).toBe(false);
  });

  it('by what small batches took: they take as long for one as for a thousand', () => {
    const rate = new DrainRate(options);
    for (let now = 0; now < 10_000; now += 20) rate.committed(1, now, now + 20);
    expect(rate.isTooLong(5_000, 10_000)).toBe(false);
  });

  it('once nothing is committed any more: the store is away', () => {
    const { rate, now } = drained(4_000);
    expect(rate.isTooLong(10_000, now)).toBe(true);
    expect(rate.isTooLong(10_000, now + 1_000)).toBe(false);
    rate.forget();
    expect(rate.isTooLong(10_000, now)).toBe(false);
  });

  it('by what was true before a pause', () => {
    const { rate, now } = drained(2_500);
    const later = now + 60_000;
    rate.committed(1_000, later - 50, later);
    expect(rate.isTooLong(15_000, later)).toBe(false);
  });
});

test('goes on to turn away between two commits of a store that takes seconds for each', () => {
  const rate = new DrainRate(options);
  rate.committed(1_000, 0, 3_000);
  expect(rate.isTooLong(2_000, 3_000 + 2_900)).toBe(true);
});

test('never turns away who would wait less than a second at the slowest rate seen', () => {
  const batches = fc.array(
    fc.record({ messages: fc.integer({ min: 1, max: 1_000 }), tookMs: fc.integer({ min: 0, max: 2_000 }) }),
    { minLength: 1, maxLength: 30 },
  );
  fc.assert(
    fc.property(batches, fc.integer({ min: 0, max: 20_000 }), (seen, waiting) => {
      const rate = new DrainRate(options);
      const now = commitAll(rate, 0, seen);
      const slowest = Math.min(...seen.map(({ messages, tookMs }) => messages / Math.max(1, tookMs)));
      if (waiting <= slowest * 1_000) expect(rate.isTooLong(waiting, now)).toBe(false);
    }),
  );
});
