import { describe, expect, it } from 'vitest';
import type { FinalState, Reservation } from './final-state.ts';
import { bought, confirmed, order, stateOf, violations } from './fixture.ts';

const sold = [confirmed(1, 10), confirmed(2, 20)];
const failed = order(
  3,
  [
    ['claimed', 30],
    ['flight reserved', 31],
    ['hotel refused', 32],
    ['compensating', 33],
    ['flight cancelled', 34],
    ['released', 35],
    ['failed', 35],
  ],
  { ticketNumber: 'F3' },
);
const orders = [...sold, failed];
const clean = stateOf(3, orders);

async function words(over: Partial<FinalState>, all = orders): Promise<string[]> {
  const found = await violations(bought(all), { ...clean, orders: all, ...over });
  return found.map((each) => `${each.rule} ${each.words}`);
}
const active = (key: string, number: string): Reservation => ({ key, number, status: 'active' });

describe('Q8 tickets', () => {
  it('belong to confirmed orders; cancelled tickets of other orders are allowed', async () => {
    expect(clean.flights).toContainEqual({ key: 'ID-3', number: 'F3', status: 'cancelled' });
    expect(await words({})).toEqual([]);
  });

  it('must not remain for an order that failed or is not stored', async () => {
    const flights = [
      ...clean.flights.filter(({ key }) => key !== 'ID-3'),
      active('ID-3', 'F3'),
      active('ID-9', 'F9'),
    ];
    expect(await words({ flights })).toEqual([
      expect.stringMatching(/^Q8 flight F3 is reserved for order ID-3 .*, failed$/),
      'Q8 flight F9 is reserved for order ID-9, which is not stored',
    ]);
  });

  it('must exist exactly once for each confirmed order', async () => {
    expect(await words({ hotels: clean.hotels.filter(({ key }) => key !== 'ID-2') })).toEqual([
      expect.stringMatching(/^Q8 order ID-2 .* confirmed without a hotel$/),
    ]);
    expect(await words({ hotels: [...clean.hotels, active('ID-2', 'H8')] })).toEqual([
      'Q8 order ID-2 has a second hotel, H8',
      expect.stringMatching(/^Q8 order ID-2 .* carries hotel H2, but H8 is reserved$/),
    ]);
  });

  it('must have the numbers that the order contains', async () => {
    const others = [sold[0]!, confirmed(2, 20, { ticketNumber: 'F7' }), failed];
    expect(await words({}, others)).toEqual([
      expect.stringMatching(/^Q8 order ID-2 .* carries flight F7, but F2 is reserved$/),
    ]);
  });

  it('must not be given twice', async () => {
    expect(
      await words({ flights: [...clean.flights, { key: 'x', number: 'F1', status: 'cancelled' }] }),
    ).toEqual(['Q8 flight F1 is in the ledger twice']);
    const shared = [sold[0]!, confirmed(2, 20, { reservationNumber: 'H1' }), failed];
    const hotels = [active('ID-1', 'H1'), active('ID-2', 'H1')];
    expect(await words({ hotels }, shared)).toEqual([
      expect.stringMatching(/^Q3 order ID-2 .* and order ID-1 .* both have hotel H1$/),
      'Q8 hotel H1 is in the ledger twice',
    ]);
  });
});

describe('Q3 tickets', () => {
  it('must not exceed the quota', async () => {
    const found = await violations(bought(sold), stateOf(1, sold));
    expect(found.map((each) => `${each.rule} ${each.words}`)).toEqual(
      expect.arrayContaining([
        'Q3 package 1 has sold 2 units of 1',
        'Q3 package 1 has 2 flights reserved, of a quota of 1',
        'Q3 package 1 has 2 hotels reserved, of a quota of 1',
      ]),
    );
  });
});
