import { describe, expect, it } from 'vitest';
import type { HistoryEntry, InventoryEntry, LookUpEntry, RetryEntry, UpdateEntry } from '../history.ts';
import {
  bought,
  change,
  confirmed,
  erasure,
  order,
  purchase,
  refused,
  seen,
  stateOf,
  violations,
} from './fixture.ts';

const sold = [confirmed(1, 50), confirmed(2, 60)];
const [one, two] = sold as [(typeof sold)[0], (typeof sold)[0]];
const origin = 'http://127.0.0.1:1';

async function words(
  history: readonly HistoryEntry[],
  state: Parameters<typeof violations>[1],
): Promise<string[]> {
  return (await violations(history, state)).map((found) => `${found.rule} ${found.words}`);
}

describe('update', () => {
  const raised = change('update', 200, 300, 2, 7);
  const state = stateOf(7, sold, { version: 2 });
  const afterwards = (quota: number, sentAt = 9_000): InventoryEntry => ({
    ...{ kind: 'figures', sentAt, endedAt: sentAt + 5, origin, packageId: 1, status: 200 },
    figures: { quota, remaining: quota - 1, held: 0, confirmed: 1, waiting: 0 },
  });
  const check = (history: readonly HistoryEntry[], over: Parameters<typeof stateOf>[2] = {}) =>
    words([...bought(sold), ...history], stateOf(over.quota ?? 7, sold, { version: 2, ...over }));

  it('is right if it is stored and seen, or refused', async () => {
    const { updated: _, ...rest } = change('update', 400, 500, 3, 0);
    const tooLow: UpdateEntry = { ...rest, status: 422, code: 'quota_too_low' };
    expect(await check([raised, tooLow, afterwards(7), afterwards(3, 310)])).toEqual([]);
  });

  it('must not be lost after it was answered', async () => {
    expect(await check([raised], { quota: 3 })).toEqual([
      'update package 1 has quota 3, and its last change was answered with 7',
    ]);
    expect(await words([raised], stateOf(7, []))).toEqual([
      'update package 1 has version 1, and update was answered with version 2',
    ]);
  });

  it('must not overwrite another one', async () => {
    expect(await check([raised, change('update', 210, 310, 2, 8)])).toContain(
      'update version 2 of package 1 was answered with quotas 7 and 8',
    );
  });

  it('must not be made if it was refused, or if nobody asked for it', async () => {
    const { updated: _, ...rest } = raised;
    const refusedUpdate: UpdateEntry = { ...rest, status: 422, code: 'quota_too_low' };
    for (const history of [[refusedUpdate], []])
      expect(await check(history)).toEqual([
        'update package 1 was changed 1 times, although only 0 changes were answered 200 and 0 are undecided',
      ]);
    const { status: __, ...unanswered } = rest;
    expect(await check([{ ...unanswered, error: 'timeout' }])).toEqual([]);
  });

  it('must be what was asked for', async () => {
    expect(await check([{ ...raised, quota: 8 }])).toEqual([
      expect.stringMatching(/^update not what was asked for: update at .*: 200$/),
    ]);
  });

  it('must be seen by customers when the age of a snapshot is over, unless a fault delayed it', async () => {
    const history = [...bought(sold), raised, afterwards(3)];
    expect(await words(history, state)).toEqual([
      expect.stringMatching(/^update quota 7 was answered at 300, and quota 3 seen: figures /),
    ]);
    const fault = { kind: 'fault', at: 250, until: 6_000, fault: 'redis paused', target: 'redis' } as const;
    expect(await words([...history, fault], state)).toEqual([]);
  });
});

describe('pause', () => {
  const pauses = [change('pause', 200, 300, 2, 3), change('resume', 900, 950, 3, 3)];
  const check = (at: number, over = {}, claimedAt = at + 1) => {
    const late = order(3, [
      ['queued', at],
      ['claimed', claimedAt],
      ['confirmed', claimedAt + 20],
    ]);
    const orders = [one, two, late];
    return words([...bought(orders), ...pauses], stateOf(3, orders, { version: 3, ...over }));
  };

  it('is right if orders are stored before it and after it', async () => {
    expect(await check(290)).toEqual([]);
    expect(await check(901)).toEqual([]);
  });

  it('is broken by an order that is stored or gets a unit meanwhile', async () => {
    const found = await check(400);
    expect(found).toEqual([
      expect.stringMatching(
        /^pause order ID-3 .* was queued at 400, while the sale was paused from 300 to 895$/,
      ),
    ]);
    expect(await check(290, {}, 400)).toEqual([
      expect.stringMatching(/^pause order ID-3 .* was claimed at 400, while the sale was paused/),
    ]);
  });

  it('must be over after the last resume', async () => {
    expect(await check(290, { isPaused: true })).toEqual([
      'pause package 1 is paused, unlike in the last answer',
    ]);
  });
});

describe('retry', () => {
  const failed = order(3, [
    ['claimed', 100],
    ['flight refused', 110],
    ['released', 120],
    ['failed', 120],
  ]);
  const retry = (over: Partial<RetryEntry>): RetryEntry => ({
    ...{ kind: 'retry', orderId: failed.id, sentAt: 111, endedAt: 115, origin, status: 200 },
    order: seen(failed, 'held'),
    ...over,
  });
  const orders = [one, two, failed];
  const check = (over: Partial<RetryEntry>, state = stateOf(3, orders)) =>
    words([...bought(orders), retry(over)], state);

  it('is right for an order that has not ended, and refused for one that has', async () => {
    expect(await check({})).toEqual([]);
    // It may end in the same commit.
    expect(await check({ order: seen(failed), endedAt: 130 })).toEqual([]);
    const refusal = { status: 409, code: 'not_retryable', sentAt: 200, endedAt: 201 };
    expect(await check({ ...refusal, order: seen(failed) })).toEqual([]);
    expect(await check({ ...refusal, order: seen(failed, 'held') })).toContainEqual(
      expect.stringMatching(/^API retry .* not_retryable with an order that is held$/),
    );
  });

  it('does no harm: no second ticket, and no way back', async () => {
    const second = { ...stateOf(3, orders) };
    const flights = [...second.flights, { key: one.id, number: 'F9', status: 'active' }];
    expect(await check({}, { ...second, flights })).toContain(`Q8 order ${one.id} has a second flight, F9`);
    expect(await check({ sentAt: 200, endedAt: 201 })).toContainEqual(
      expect.stringMatching(/^Q6 order ID-3 .* was failed at 125, and held for a request sent at 200$/),
    );
  });

  it('finds every order', async () => {
    const { order: _, ...rest } = retry({ status: 404, code: 'unknown_order', sentAt: 200, endedAt: 201 });
    expect(await words([...bought(orders), rest], stateOf(3, orders))).toEqual([
      expect.stringMatching(/^Q6 order ID-3 .* not found by a request sent at 200$/),
    ]);
  });
});

describe('erase', () => {
  const placeholder = 'erased-0123456789abcdef@erased.invalid';
  const erased = { ...one, email: placeholder };
  const orders = [erased, two];
  const lookUp = (sentAt: number, over: Partial<LookUpEntry> = {}): LookUpEntry => ({
    ...{ kind: 'look-up', sentAt, endedAt: sentAt + 5, origin, orderId: one.id, email: one.email },
    ...{ status: 404, code: 'unknown_order', ...over },
  });
  const asked = erasure(one.email, 1_000, 1_100);
  const check = (history: readonly HistoryEntry[], stored = orders) =>
    words([...bought(sold), ...history], stateOf(3, stored));

  it('is right if the order is not found under its email any more, and its key is refused as reused', async () => {
    const again = refused(2_000, 2_001, 'key_reused', { email: one.email, key: one.key!, status: 422 });
    const stranger = lookUp(500, { email: 'thief@example.com' });
    const history = [asked, lookUp(1_050), lookUp(2_000), again, stranger];
    expect(await check(history)).toEqual([]);
    expect(await check(history.toReversed())).toEqual([]);
  });

  it('must take the email out of every order that was stored before', async () => {
    expect(await check([asked], sold)).toEqual([
      expect.stringMatching(
        /^erase order ID-1 .* has its email, which was erased by a request sent at 1000$/,
      ),
    ]);
    // An order that was stored after it keeps its email, and an unanswered request proves nothing.
    const late = confirmed(3, 5_000);
    const all = [one, two, late];
    expect(await words([...bought(all), erasure(late.email, 1_000, 1_100)], stateOf(3, all))).toEqual([]);
    const { status: _, left: __, ...unanswered } = asked;
    expect(await check([{ ...unanswered, error: 'timeout' }], sold)).toEqual([]);
  });

  it('must not show the order to the erased email', async () => {
    const shown = { status: 200, order: seen(one) };
    expect(await check([asked, { ...lookUp(2_000), ...shown }])).toContainEqual(
      expect.stringMatching(/^erase order ID-1 .* was shown to the email that was erased at 1100: look-up/),
    );
    expect(await check([asked, purchase(one, 2_000, 2_001)])).toContainEqual(
      expect.stringMatching(/^erase order ID-1 .* was shown to the email that was erased at 1100: purchase/),
    );
  });

  it('must not take an email that nobody asked to erase, nor take it early', async () => {
    expect(await check([])).toContainEqual(
      expect.stringMatching(/^erase order ID-1 .* lost its email, although no operator asked for it$/),
    );
    expect(await check([asked, lookUp(500)])).toEqual([
      expect.stringMatching(/^Q6 order ID-1 .* was known at 64, and not found by a request sent at 500$/),
    ]);
  });

  it('must not change anything else', async () => {
    const state = stateOf(3, orders);
    expect(await words([...bought(sold), asked], { ...state, flights: state.flights.slice(1) })).toEqual([
      expect.stringMatching(/^Q8 order ID-1 .* is confirmed without a flight$/),
    ]);
  });
});
