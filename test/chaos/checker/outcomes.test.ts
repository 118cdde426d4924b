import { describe, expect, it } from 'vitest';
import { bought, confirmed, order, stateOf, violations } from './fixture.ts';
import { leadsTo, statuses } from './life-cycle.ts';

describe('Q2 units', () => {
  const words = async (...events: [string, number][]) => {
    const only = order(1, events);
    const found = await violations(bought([only]), stateOf(1, [only]));
    return found.filter(({ rule }) => rule === 'Q2').map((each) => each.words);
  };

  it('must be claimed before a supplier is called', async () => {
    const end: [string, number][] = [
      ['released', 4],
      ['failed', 4],
    ];
    expect(await words(['claimed', 1], ['flight refused', 2], ...end)).toEqual([]);
    expect(await words(['queued', 0], ['flight refused', 1], ['claimed', 2], ...end)).toEqual([
      expect.stringContaining('was at a supplier before it had a unit'),
    ]);
  });

  it('must be returned only once, by a failure or a cancellation', async () => {
    expect(await words(['claimed', 1], ['failed', 2])).toEqual([
      expect.stringContaining('gave back 0 units'),
    ]);
    expect(await words(['claimed', 1], ['released', 2], ['released', 3], ['failed', 3])).toEqual([
      expect.stringContaining('gave back 2 units'),
    ]);
    expect(await words(['claimed', 1], ['released', 2], ['confirmed', 3])).toEqual([
      expect.stringContaining('is confirmed and gave back 1 units'),
    ]);
  });

  it('must be claimed once by each confirmed order', async () => {
    expect(await words(['queued', 1], ['confirmed', 3])).toEqual([
      expect.stringContaining('claimed 0 units'),
    ]);
    expect(await words(['claimed', 1], ['claimed', 2], ['confirmed', 3])).toEqual([
      expect.stringContaining('claimed 2 units'),
    ]);
  });
});

describe('Q4 after the drain', () => {
  it.each(['held', 'compensating', 'cancelling'])('no order may be %s', async (status) => {
    const only = { ...confirmed(1, 10), status };
    const found = await violations([], stateOf(1, [only]));
    expect(found.map(({ rule, words }) => `${rule} ${words}`)).toContainEqual(
      expect.stringMatching(new RegExp(`^Q4 order ID-1 .* still ${status}$`)),
    );
  });
});

describe('Q7 orders without a key', () => {
  it('must not be more than the purchases that may have created them', async () => {
    const keyless = { key: undefined, email: 'one@example.com' } as object;
    const two = [confirmed(1, 10, keyless), confirmed(2, 20, keyless)];
    const state = stateOf(2, two);
    expect(await violations(bought(two), state)).toEqual([]);
    expect(await violations(bought([two[0]!]), state)).toEqual([
      {
        rule: 'Q7',
        words: expect.stringMatching(/package 1, one@example.com: 1 more orders than purchases/),
      },
    ]);
  });
});

describe('the life cycle', () => {
  it('of an order must never go back', () => {
    for (const from of statuses) {
      for (const to of statuses) if (from !== to && leadsTo(from, to)) expect(leadsTo(to, from)).toBe(false);
    }
    expect(leadsTo('queued', 'cancelled')).toBe(true);
    expect(leadsTo('compensating', 'confirmed')).toBe(false);
  });
});
