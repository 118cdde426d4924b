import { describe, expect, it } from 'vitest';
import { bought, confirmed, order, purchase, stateOf, unanswered, violations } from './fixture.ts';

async function words(...args: Parameters<typeof violations>): Promise<string> {
  return (await violations(...args)).map((found) => `${found.rule} ${found.words}`).join('\n');
}

const waited = (number: number, from: number, to: number) =>
  order(number, [
    ['queued', from],
    ['claimed', to],
    ['flight refused', to + 1],
    ['released', to + 2],
    ['failed', to + 2],
  ]);

describe('Q5 order numbers', () => {
  it('may be given, and get their units, within the same millisecond', async () => {
    const orders = [waited(1, 10, 30), waited(2, 10, 30), waited(3, 11, 30)];
    expect(await words(bought(orders), stateOf(1, orders, { quota: 3, remaining: 3 }))).toBe('');
  });

  it('may get their units late, from an owner that was paused or whose clock is slightly behind', async () => {
    const orders = [waited(1, 10, 9_004), waited(2, 10, 9_000)];
    expect(await words(bought(orders), stateOf(1, orders, { quota: 2, remaining: 2 }))).toBe('');
  });

  it('must not get a unit while a lower number that gets one later still waits', async () => {
    const orders = [waited(1, 10, 60), waited(2, 10, 30)];
    const state = stateOf(1, orders, { quota: 2, remaining: 2 });
    expect(await words(bought(orders), state)).toMatch(
      /^Q5 order ID-2 .* got a unit at 30, and order ID-1 .* until 60$/,
    );
  });

  it('must not get a unit before a lower number that is refused, leaves the queue or is still waiting', async () => {
    const behind = confirmed(2, 30);
    for (const end of [
      ['sold out', 60],
      ['withdrawn', 60],
    ] as const) {
      const orders = [order(1, [['queued', 10], end]), behind];
      expect(await words(bought([behind]), stateOf(1, orders))).toMatch(/Q5 order ID-2 .* got a unit at 30/);
    }
    const stuck = order(1, [['queued', 10]]);
    const found = await words([purchase(stuck, 5, 12), ...bought([behind])], stateOf(1, [stuck, behind]));
    expect(found).toMatch(/Q5 order ID-2 .* waited to the end/);
    expect(found).toMatch(/Q4 order ID-1 .* still waits/);
  });

  it('must be given once each, without gaps', async () => {
    const twice = [
      confirmed(1, 10),
      confirmed(1, 20, { id: 'ID-x', key: 'x', ticketNumber: 'F8', reservationNumber: 'H8' }),
    ];
    expect(await words(bought(twice), stateOf(2, twice, { nextNumber: 2 }))).toMatch(
      /^Q5 .* was given before$/,
    );
    const gap = [confirmed(1, 10), confirmed(3, 20)];
    expect(await words(bought(gap), stateOf(2, gap, { nextNumber: 4 }))).toMatch(
      /^Q5 .* no order with number 2/,
    );
    const ahead = [confirmed(1, 10)];
    expect(await words(bought(ahead), stateOf(1, ahead, { nextNumber: 3 }))).toMatch(/^Q5 package 1 has 3/);
  });

  it('must be lower for an order that was answered before the other purchase was sent', async () => {
    // The timelines alone contain no violation.
    const orders = [confirmed(1, 100), confirmed(2, 100)];
    const state = stateOf(2, orders);
    const [early, late] = orders as [(typeof orders)[0], (typeof orders)[0]];
    const wrong = [purchase(late, 90, 120), purchase(early, 121, 130)];
    expect(await words(wrong, state)).toMatch(
      /^Q5 order ID-1 .* first sent at 121, when order ID-2 .* since 120$/,
    );
    // The first purchase of the second order was sent earlier and had no answer.
    expect(await words([...wrong, unanswered(early, 119, 150)], state)).toBe('');
  });
});
