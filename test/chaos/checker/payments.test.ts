import { describe, expect, it } from 'vitest';
import type { EventEntry, HistoryEntry, PayEntry } from '../history.ts';
import type { FinalState, Payment, StoredOrder } from './final-state.ts';
import { bought, order, purchase, stateOf, violations } from './fixture.ts';

/* Rule Q11, with orders of a package that costs 100. */

const payBy = 1_000;

function act(
  kind: PayEntry['kind'],
  orderId: string,
  sentAt: number,
  over: Partial<PayEntry> = {},
): PayEntry {
  const request = { sentAt, endedAt: sentAt + 5, origin: 'http://127.0.0.1:2', status: 303 };
  return { kind, orderId, ...request, ...over };
}

/** An order that became payable, with these further events. */
function payable(number: number, events: [string, number][], over: Partial<StoredOrder> = {}): StoredOrder {
  const before: [string, number][] = [
    ['claimed', 10],
    ['flight reserved', 12],
    ['hotel reserved', 14],
    ['payment due', 15],
  ];
  return order(number, [...before, ...events], { payBy, ...over });
}

const unpaid = (number: number, reason: string, at: number, events: [string, number][] = []) =>
  payable(
    number,
    [...events, ['compensating', at], ['payment cancelled', at], ['released', at], ['failed', at]],
    {
      reason,
    },
  );

const paid = payable(1, [
  ['paid', 105],
  ['confirmed', 106],
]);
const expired = unpaid(2, 'payment_expired', 1_010, [['payment expired', 1_001]]);
const declined = unpaid(3, 'payment_declined', 220, [['payment declined', 210]]);
const refunded = payable(4, [
  ['paid', 105],
  ['confirmed', 106],
  ['cancel requested', 300],
  ['payment cancelled', 305],
  ['released', 306],
  ['cancelled', 306],
]);
const abandoned = unpaid(5, 'payment_abandoned', 400);
const all = [paid, expired, declined, refunded, abandoned];

const ledger = (statuses: readonly string[]): Payment[] =>
  statuses.map((status, index) => ({ key: `ID-${index + 1}`, status, amount: 10_000, currency: 'USD' }));
const statuses = ['paid', 'cancelled', 'declined', 'refunded', 'cancelled'];
const acts: readonly HistoryEntry[] = [
  act('pay', 'ID-1', 100),
  act('decline', 'ID-3', 200),
  act('pay', 'ID-4', 100),
];
const cancels: readonly HistoryEntry[] = [refunded, abandoned].map((each) => ({
  ...{ kind: 'cancel', orderId: each.id, email: each.email, sentAt: 299, endedAt: 450 },
  ...{ origin: 'http://127.0.0.1:1', status: 200, order: purchase(each, 1, 2).order },
})) as unknown as HistoryEntry[];

interface Run {
  readonly orders?: readonly StoredOrder[];
  readonly payments?: readonly Payment[];
  readonly acts?: readonly HistoryEntry[];
  readonly more?: readonly HistoryEntry[];
  readonly price?: number;
}

async function words(run: Run = {}): Promise<string[]> {
  const { orders = all, payments = ledger(statuses), more = [], price = 100 } = run;
  const state: FinalState = { ...stateOf(5, orders, { price }), payments };
  const history = [...bought(orders), ...(run.acts ?? acts), ...cancels, ...more];
  return (await violations(history, state)).map((each) => `${each.rule} ${each.words}`);
}

/** The orders with one of them replaced. */
const replaced = (other: StoredOrder) => all.map((each) => (each.number === other.number ? other : each));
const withStatus = (number: number, status: string) =>
  ledger(statuses.map((each, index) => (index + 1 === number ? status : each)));

describe('Q11 payments', () => {
  it('are paid for confirmed orders, and void or refunded for all others', async () => {
    expect(await words()).toEqual([]);
  });

  it.each([
    [1, 'refunded', /^Q11 order ID-1 .* is confirmed, and its payment is refunded$/],
    [1, 'due', /^Q11 order ID-1 .* is confirmed, and its payment is due$/],
    [2, 'paid', /^Q11 order ID-2 .* is failed, and its payment is not refunded$/],
    [2, 'due', /^Q11 order ID-2 .* is failed, and can still be paid$/],
    [4, 'paid', /^Q11 order ID-4 .* is cancelled, and its payment is not refunded$/],
  ])('that of order %i must not be %s', async (number, status, expected) => {
    expect(await words({ payments: withStatus(number, status) })).toContainEqual(
      expect.stringMatching(expected),
    );
  });

  it('must not be missing, of another amount, or there twice', async () => {
    const [first, ...others] = ledger(statuses) as [Payment, ...Payment[]];
    expect(await words({ payments: others })).toEqual([
      expect.stringMatching(/^Q11 order ID-1 .* is confirmed, and its payment is missing$/),
    ]);
    expect(await words({ payments: [{ ...first, amount: 1 }, ...others] })).toEqual([
      expect.stringMatching(/^Q11 order ID-1 .* costs 10000 USD, and 1 USD is paid$/),
    ]);
    expect(await words({ payments: [first, first, ...others] })).toEqual([
      'Q11 payment ID-1 is in the ledger twice',
    ]);
  });

  it('must belong to an order that has had a unit, and that has a price', async () => {
    const stray = { key: 'ID-9', status: 'cancelled', amount: 0, currency: 'XXX' };
    expect(await words({ payments: [...ledger(statuses), stray] })).toEqual([
      'Q11 a payment was asked for order ID-9, which is not stored, and it never had a unit',
    ]);
    expect(await words({ price: 0 })).toContainEqual(
      expect.stringMatching(/^Q11 order ID-1 .* is confirmed and free, and there is a payment$/),
    );
  });
});

describe('Q11 the outcome of an order', () => {
  it('is not confirmed before it is paid, or if nobody has paid', async () => {
    const early = payable(1, [['confirmed', 106]]);
    expect(await words({ orders: replaced(early) })).toContainEqual(
      expect.stringMatching(/^Q11 order ID-1 .* was confirmed without being paid: claimed, /),
    );
    expect(await words({ acts: acts.slice(1) })).toEqual([
      expect.stringMatching(/^Q11 order ID-1 .* is confirmed, and nobody has paid for it$/),
    ]);
  });

  it('is not declined if nobody has declined', async () => {
    expect(await words({ acts: acts.filter(({ kind }) => kind !== 'decline') })).toEqual([
      expect.stringMatching(/^Q11 order ID-3 .* is failed as declined, and nobody has declined$/),
    ]);
  });

  it('is not expired if it was paid in time, but may be if it was paid later or declined before', async () => {
    const payments = withStatus(2, 'refunded');
    const late = [...acts, act('pay', 'ID-2', 1_200)];
    expect(await words({ payments, acts: late })).toEqual([]);
    const inTime = [...acts, act('pay', 'ID-2', 900)];
    expect(await words({ payments, acts: inTime })).toEqual([
      expect.stringMatching(
        /^Q11 order ID-2 .* is failed for payment_expired, and was paid by 905, in time until 1000$/,
      ),
    ]);
    const { status: _, ...silent } = act('pay', 'ID-2', 900);
    expect(await words({ payments, acts: [...acts, silent] })).toEqual([]);
    expect(await words({ payments, acts: [...inTime, act('decline', 'ID-2', 800)] })).toEqual([]);
  });

  it('is not expired before its time', async () => {
    const early = unpaid(2, 'payment_expired', 960, [['payment expired', 950]]);
    expect(await words({ orders: replaced(early) })).toEqual([
      expect.stringMatching(/^Q11 order ID-2 .* is failed, and expired at 950, before 1000$/),
    ]);
  });
});

describe('Q11 a payable order in an answer', () => {
  const asked = (over: object) => {
    const answer = purchase(paid, 20, 30, 'payable');
    return [{ ...answer, order: { ...answer.order, ...over } } as HistoryEntry];
  };

  it('has its tickets, its page and its time', async () => {
    expect(await words({ more: asked({}) })).toEqual([]);
    expect(await words({ more: asked({ ticketNumber: undefined }) })).toContainEqual(
      expect.stringMatching(/^Q11 order ID-1 .* was to be paid without its tickets/),
    );
    expect(await words({ more: asked({ payBy: 2_000 }) })).toEqual([
      expect.stringMatching(/^Q11 order ID-1 .* was to be paid by 2000, not 1000/),
    ]);
    expect(await words({ more: asked({ paymentUrl: undefined }) })).toEqual([
      expect.stringMatching(/^API .* with a payable order that nobody can pay$/),
    ]);
  });
});

describe('Q11 an event', () => {
  const event = (over: Partial<EventEntry>): EventEntry => ({
    kind: 'event',
    treatment: 'passed',
    ...{ orderId: 'ID-1', sentAt: 101, endedAt: 102, origin: 'http://127.0.0.1:1', status: 204 },
    ...over,
  });

  it('is refused if it is forged, and only then', async () => {
    const refused = { status: 403, code: 'invalid_signature' };
    const fine = [event({}), event({ treatment: 'forged', ...refused })];
    expect(await words({ more: fine })).toEqual([]);
    expect(await words({ more: [event({ treatment: 'forged' })] })).toEqual([
      expect.stringMatching(/^Q11 a forged event was accepted: event at /),
    ]);
    expect(await words({ more: [event(refused)] })).toEqual([
      expect.stringMatching(/^API an event of the provider was refused: event at /),
    ]);
  });
});
