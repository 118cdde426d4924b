import { describe, expect, it } from 'vitest';
import type { HistoryEntry } from '../history.ts';
import { bought, change, confirmed, order, purchase, refused, seen, stateOf, violations } from './fixture.ts';

async function words(...args: Parameters<typeof violations>): Promise<string> {
  return (await violations(...args)).map((found) => `${found.rule} ${found.words}`).join('\n');
}

/** Two units. The second one is sold at 109. */
const both = [confirmed(1, 50), confirmed(2, 100)];
const soldOut = stateOf(2, both);

describe('Q4 sold_out', () => {
  it('is right once all units are sold, even for a request that was sent before and answered after', async () => {
    const history = [refused(10, 109, 'sold_out'), refused(100_000, 100_001, 'sold_out')];
    expect(await words([...bought(both), ...history], soldOut)).toBe('');
  });

  it('is wrong before all units are sold', async () => {
    expect(await words([...bought(both), refused(10, 103, 'sold_out')], soldOut)).toMatch(
      /^Q4 1 of 2 units were sold: /,
    );
  });

  it('is wrong if a unit is never sold', async () => {
    const [one] = both;
    const found = await words([...bought([one!]), refused(300, 301, 'sold_out')], stateOf(2, [one!]));
    expect(found).toMatch(/^Q4 1 of 2/);
  });

  it('is not checked by time if an operator changed the quota', async () => {
    expect(
      await words(
        [...bought(both), refused(10, 103, 'sold_out'), change('update', 1, 2, 2, 2)],
        stateOf(2, both, { version: 2 }),
      ),
    ).toBe('');
  });

  it('is right for a waiting order only when all units are sold', async () => {
    const rejectedAt = (at: number) =>
      order(3, [
        ['queued', 101],
        ['sold out', at],
      ]);
    const state = (at: number) => stateOf(2, [...both, rejectedAt(at)]);
    expect(await words(bought([...both, rejectedAt(109)]), state(109))).toBe('');
    expect(await words(bought([...both, rejectedAt(108)]), state(108))).toMatch(
      /^Q4 order ID-3 .* rejected at 108/,
    );
  });
});

describe('Q4 sold_out when a unit comes back', () => {
  const cancelled = order(2, [
    ['claimed', 100],
    ['confirmed', 109],
    ['cancel requested', 10_000],
    ['released', 10_100],
    ['cancelled', 10_100],
  ]);
  const state = stateOf(2, [both[0]!, cancelled]);
  const cancel = {
    ...{ kind: 'cancel', origin: 'x', sentAt: 9_990, endedAt: 10_200, status: 200 },
    ...{ orderId: cancelled.id, email: cancelled.email, order: seen(cancelled) },
  } as HistoryEntry;
  const sale = [purchase(both[0]!, 40, 70), purchase(cancelled, 90, 120, 'confirmed'), cancel];

  it('is right before the unit comes back, and after that for the permitted age of a snapshot', async () => {
    const history = [refused(9_000, 9_010, 'sold_out'), refused(11_000, 11_010, 'sold_out')];
    expect(await words([...sale, ...history], state)).toBe('');
  });

  it('is wrong after the permitted age of a snapshot, unless a fault delayed the message', async () => {
    const late = refused(19_000, 19_001, 'sold_out');
    expect(await words([...sale, late], state)).toMatch(/^Q4 1 of 2 units were sold since 16750: /);
    const fault = (at: number, until?: number): HistoryEntry =>
      ({ kind: 'fault', at, until, fault: 'redis paused', target: 'redis' }) as HistoryEntry;
    expect(await words([...sale, late, fault(9_900, 15_000)], state)).toBe('');
    expect(await words([...sale, late, fault(13_000, 15_000)], state)).toMatch(/^Q4 .* since 10750: /);
  });
});

describe('Q4 queue_full', () => {
  const waited = order(2, [
    ['queued', 102],
    ['claimed', 150],
    ['confirmed', 160],
  ]);
  const orders = [confirmed(1, 100), waited];
  const state = stateOf(2, orders);

  it('is right while an order is waiting', async () => {
    expect(await words([...bought(orders), refused(110, 120, 'queue_full')], state)).toBe('');
  });

  it('is wrong before any order waited, and long after the last one waited', async () => {
    for (const at of [90, 10_000]) {
      const found = await words([...bought(orders), refused(at, at + 1, 'queue_full')], state);
      expect(found).toMatch(/^Q4 0 waited in the queue, of at least 1/);
    }
  });

  it('is wrong while the queue is below its limit, if the limit is known', async () => {
    const refusal = refused(110, 120, 'queue_full');
    expect(await words([...bought(orders), refusal], { ...state, waitersPerUnit: 2 })).toMatch(
      /^Q4 1 waited in the queue, of at least 4/,
    );
  });
});

describe('Q3 over time', () => {
  it('finds units that were oversold at some time, although the final state is right', async () => {
    const failed = (number: number, from: number, to: number) =>
      order(number, [
        ['claimed', from],
        ['flight refused', to],
        ['released', to],
        ['failed', to],
      ]);
    const atOnce = [failed(1, 10, 20), failed(2, 12, 22)];
    expect(await words(bought(atOnce), stateOf(1, atOnce))).toBe('Q3 package 1 had given 2 units of 1 at 12');
    const oneByOne = [failed(1, 10, 20), failed(2, 20, 30)];
    expect(await words(bought(oneByOne), stateOf(1, oneByOne))).toBe('');
  });
});
