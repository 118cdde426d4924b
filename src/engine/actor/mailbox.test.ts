import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { ActivityMeter, DrainRate, Mailbox } from './mailbox.ts';

test('a full mailbox refuses messages from `offer` and accepts messages from `put`', () => {
  const mailbox = new Mailbox<number>(2);
  expect([mailbox.offer(1), mailbox.offer(2), mailbox.offer(3)]).toEqual([true, true, false]);
  mailbox.put(4);
  expect(mailbox.take(10)).toEqual([1, 2, 4]);
});

test('Q5 messages are taken in the order of their arrival, also after some were put back', () => {
  const mailbox = new Mailbox<number>(10);
  for (const message of [1, 2, 3, 4]) mailbox.offer(message);
  const taken = mailbox.take(2);
  mailbox.putBack(taken);
  expect(mailbox.take(3)).toEqual([1, 2, 3]);
  expect(mailbox.size).toBe(1);
});

test('a reader wakes on a message or on its abort signal, and then removes its listener', async () => {
  const mailbox = new Mailbox<number>(10);
  const stop = new AbortController();
  const arrival = mailbox.arrival(stop.signal);
  mailbox.offer(1);
  await arrival;
  mailbox.take(1);
  const stopped = mailbox.arrival(stop.signal);
  stop.abort();
  await stopped;
  await mailbox.arrival(stop.signal);
  expect(mailbox.size).toBe(0);
});

const options = { batchMax: 1_000, shedAfterMs: 1_000 };

/** Commits the batches one after the other. Returns the time of the last commit. */
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

/** A mailbox that has been emptied at this rate for a while, and the current time. */
function drained(perSecond: number): { rate: DrainRate; now: number } {
  const rate = new DrainRate(options);
  return { rate, now: commitAll(rate, 1_000_000, fullBatches(50, 1_000_000 / perSecond)) };
}

describe('DrainRate refuses a message that would wait more than a second', () => {
  it.each([
    [4_000, 3_900, false],
    [4_000, 4_100, true],
    [10_000, 9_900, false],
    [10_000, 10_100, true],
  ])('at %i messages per second with %i messages ahead: %s', (perSecond, messages, isTooLong) => {
    const { rate, now } = drained(perSecond);
    expect(rate.isTooLong(messages, now)).toBe(isTooLong);
  });

  it('and adapts to a store that becomes slower or faster', () => {
    const { rate, now } = drained(10_000);
    expect(rate.isTooLong(2_500, now)).toBe(false);
    const slower = commitAll(rate, now, fullBatches(20, 500));
    expect(rate.isTooLong(2_500, slower)).toBe(true);
    const faster = commitAll(rate, slower, fullBatches(20, 50));
    expect(rate.isTooLong(15_000, faster)).toBe(false);
  });
});

test('DrainRate refuses no message while the next two commits have room, even if commits are slow', () => {
  const { rate, now } = drained(100);
  expect(rate.isTooLong(1_999, now)).toBe(false);
  expect(rate.isTooLong(2_000, now)).toBe(true);
});

describe('DrainRate refuses nothing', () => {
  it('before the first commit after a takeover, because the rate is unknown', () => {
    expect(new DrainRate(options).isTooLong(19_999, 0)).toBe(false);
  });

  it('after small batches, which take as long as large ones', () => {
    const rate = new DrainRate(options);
    for (let now = 0; now < 10_000; now += 20) rate.committed(1, now, now + 20);
    expect(rate.isTooLong(5_000, 10_000)).toBe(false);
  });

  it('once commits fail or stop because the store is away', () => {
    const { rate, now } = drained(4_000);
    expect(rate.isTooLong(10_000, now)).toBe(true);
    expect(rate.isTooLong(10_000, now + 1_000)).toBe(false);
    rate.forget();
    expect(rate.isTooLong(10_000, now)).toBe(false);
  });

  it('because of a rate that was measured before a pause', () => {
    const { rate, now } = drained(2_500);
    const later = now + 60_000;
    rate.committed(1_000, later - 50, later);
    expect(rate.isTooLong(15_000, later)).toBe(false);
  });
});

test('DrainRate still refuses messages between two commits that take seconds each', () => {
  const rate = new DrainRate(options);
  rate.committed(1_000, 0, 3_000);
  expect(rate.isTooLong(2_000, 3_000 + 2_900)).toBe(true);
});

test('DrainRate never refuses a message that would wait less than a second at the slowest measured rate', () => {
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

const start = 1_000_000;
const note = { orders: 10, messages: 20, ms: 4 };

describe('ActivityMeter', () => {
  it('shows a minute in complete buckets, oldest first', () => {
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

  it('includes the current bucket in `recent`', () => {
    const meter = new ActivityMeter(start);
    meter.note(start + 500, note);
    expect(meter.read(start + 1_000, 7)).toMatchObject({
      recent: { purchasesPerS: 10, batchSize: 20, commitMs: 4 },
      mailbox: 7,
    });
  });

  it('forgets buckets older than a minute', () => {
    const meter = new ActivityMeter(start);
    meter.note(start, note);
    const { purchasesPerS, recent } = meter.read(start + 62_000, 0);
    expect(purchasesPerS.every((rate) => rate === 0)).toBe(true);
    expect(recent).toEqual({ purchasesPerS: 0, batchSize: 0, commitMs: 0 });
    meter.note(start + 62_000, { orders: 4, messages: 4, ms: 1 });
    expect(meter.read(start + 64_000, 0).purchasesPerS.filter((rate) => rate > 0)).toEqual([2]);
  });
});
