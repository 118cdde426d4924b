import { describe, expect, it } from 'vitest';
import type { HistoryEntry } from '../history.ts';
import { bought, confirmed, order, purchase, seen, stateOf, unanswered, violations } from './fixture.ts';

const one = confirmed(1, 10);
const other = confirmed(2, 20);
const failed = order(3, [
  ['claimed', 30],
  ['flight refused', 31],
  ['released', 32],
  ['failed', 32],
]);
const all = [one, other, failed];
const state = stateOf(5, all);

async function words(extra: HistoryEntry, over = state): Promise<string[]> {
  const found = await violations([...bought(all), extra], over);
  return found.map((each) => `${each.rule} ${each.words}`);
}

/** Several checks may find the same violation. Each of these checks must find it. */
describe('each check reports its own message', () => {
  it('Q6 201 for an order that failed', async () => {
    const told = { ...seen(failed, 'confirmed'), ticketNumber: 'F9', reservationNumber: 'H9' };
    const { code: _, ...rest } = purchase(failed, 30, 40);
    expect(await words({ ...rest, status: 201, order: told })).toContainEqual(
      expect.stringMatching(/^Q6 order ID-3 .* is failed, and was confirmed: purchase .*: 201$/),
    );
  });

  it('Q6 an order of another email or package', async () => {
    const elsewhere = { ...purchase(one, 90, 99), packageId: 2, key: 'x' };
    expect(await words(elsewhere)).toContainEqual(
      expect.stringMatching(/^Q6 order ID-1 .* is not what was bought/),
    );
    const stranger = { ...purchase(one, 90, 99), email: 'thief@example.com', key: 'x' };
    expect(await words(stranger)).toContainEqual(
      expect.stringMatching(/^Q6 order ID-1 .* is not what was bought/),
    );
  });

  it('Q7 an order with another key, or without one', async () => {
    const { key: _, ...keyless } = purchase(one, 90, 99);
    for (const entry of [keyless, { ...keyless, key: 'unheard-of' }]) {
      expect(await words(entry)).toContainEqual(
        expect.stringMatching(/^Q7 order ID-1 .* has another key than its/),
      );
    }
  });

  it('Q7 another order under a key, shown to its buyer or to a stranger', async () => {
    const wrong = { ...purchase(one, 90, 99), key: 'key-2', email: other.email };
    expect(await words(wrong)).toContainEqual(
      expect.stringMatching(/^Q7 ID-1 and order ID-2 .* under one key/),
    );
    const told = { ...purchase(one, 90, 99), email: 'thief@example.com' };
    expect(await words(told)).toContainEqual(
      expect.stringMatching(/^Q7 an order was shown to another email under its key/),
    );
  });

  it('Q7 two stored orders under one key', async () => {
    const twin = confirmed(4, 50, { key: 'key-1', email: one.email });
    const found = await words(unanswered(twin, 40, 60), stateOf(5, [...all, twin]));
    expect(found).toContainEqual(
      expect.stringMatching(/^Q7 order ID-4 .* and order ID-1 .* are stored under one key$/),
    );
  });

  it('Q6 an accepted cancellation that was not carried out', async () => {
    const cancel = { ...purchase(one, 90, 99), kind: 'cancel', orderId: one.id } as unknown as HistoryEntry;
    const taken = { ...cancel, status: 202, order: seen(one, 'cancelling') } as HistoryEntry;
    expect(await words(taken)).toContainEqual(
      expect.stringMatching(/^Q6 order ID-1 .* is confirmed, although its cancellation was accepted$/),
    );
  });

  it('Q1 a negative number', async () => {
    const found = await words(unanswered(one, 1, 2), stateOf(5, all, { remaining: 5, held: -2 }));
    expect(found).toContainEqual(expect.stringMatching(/^Q1 package 1 .* has less than nothing/));
  });

  it('Q8 a confirmed order without a ticket', async () => {
    const { reservationNumber: _, ...bare } = one;
    const found = await words(unanswered(one, 1, 2), { ...state, orders: [bare, other, failed] });
    expect(found).toContainEqual(
      expect.stringMatching(/^Q8 order ID-1 .* is confirmed and carries no hotel$/),
    );
  });
});
