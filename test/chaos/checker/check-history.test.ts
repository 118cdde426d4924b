import { describe, expect, it } from 'vitest';
import type { HistoryEntry } from '../history.ts';
import { checkHistory } from './check-history.ts';
import {
  bought,
  change,
  confirmed,
  order,
  purchase,
  refused,
  rulesBroken,
  seen,
  stateOf,
  unanswered,
  violations,
} from './fixture.ts';

const lookUp = (orderId: string, email: string, sentAt: number, over: object = {}): HistoryEntry =>
  ({
    kind: 'look-up',
    origin: 'http://127.0.0.1:2',
    sentAt,
    endedAt: sentAt + 3,
    orderId,
    email,
    ...over,
  }) as HistoryEntry;
const cancel = (orderId: string, email: string, sentAt: number, over: object = {}): HistoryEntry =>
  ({ ...lookUp(orderId, email, sentAt, over), kind: 'cancel' }) as HistoryEntry;

const released = (end: string, at: number) =>
  [
    ['released', at],
    [end, at],
  ] as const;

/** Three units. The first buyer's flight is refused, another buyer cancels, and two buyers come too late. */
const first = order(1, [['claimed', 100], ['flight refused', 105], ...released('failed', 106)]);
const second = confirmed(2, 100);
const third = confirmed(3, 101);
const gaveUp = order(
  4,
  [
    ['queued', 101],
    ['claimed', 106],
    ['flight reserved', 108],
    ['hotel reserved', 110],
    ['confirmed', 111],
    ['cancel requested', 200],
    ['flight cancelled', 205],
    ['hotel cancelled', 205],
    ...released('cancelled', 206),
  ],
  { email: 'Gina@example.com' },
);
const left = order(
  5,
  [
    ['queued', 102],
    ['withdrawn', 109],
  ],
  { email: 'left@example.com' },
);
const tooLate = order(6, [
  ['queued', 103],
  ['sold out', 111],
]);
const last = order(7, [
  ['queued', 202],
  ['claimed', 206],
  ['flight reserved', 207],
  ['hotel unknown', 208],
  ['compensating', 208],
  ['hotel cancelled', 220],
  ['flight cancelled', 221],
  ...released('failed', 222),
]);
const everybody = [first, second, third, gaveUp, left, tooLate, last];
const clean = stateOf(3, everybody);

const sale: readonly HistoryEntry[] = [
  { kind: 'phase', at: 90, phase: 'load' },
  ...bought([first, second, tooLate, last]),
  // The first answer came while the order was held. The same key was sent again, and the order was confirmed by then.
  purchase(third, 95, 104, 'held'),
  unanswered(third, 96, 120),
  { ...unanswered(third, 97, 99), status: 503, code: 'no_owner' },
  purchase(third, 121, 122),
  { ...unanswered(third, 121, 122), email: 'thief@example.com', status: 422, code: 'key_reused' },
  purchase({ ...gaveUp, email: ' gina@EXAMPLE.com ' }, 96, 105, 'queued'),
  cancel(gaveUp.id, gaveUp.email, 130, { status: 503, code: 'no_owner' }),
  cancel(gaveUp.id, gaveUp.email, 195, { endedAt: 203, status: 202, order: seen(gaveUp, 'cancelling') }),
  // The two requests overlap, so each may see the older state.
  lookUp(gaveUp.id, gaveUp.email, 202, { status: 200, order: seen(gaveUp, 'cancelling') }),
  lookUp(gaveUp.id, gaveUp.email, 201, { endedAt: 230, status: 200, order: seen(gaveUp, 'confirmed') }),
  purchase(left, 97, 104, 'queued'),
  cancel(left.id, left.email, 108, { status: 200, order: seen(left) }),
  cancel(first.id, first.email, 140, { status: 409, code: 'not_cancellable', order: seen(first) }),
  lookUp(second.id, second.email, 150, { status: 200, order: seen(second) }),
  lookUp(second.id, 'thief@example.com', 150, { status: 404, code: 'unknown_order' }),
  lookUp(second.id, second.email, 151, { error: 'timeout' }),
  lookUp('0000-0000-0000-0000', 'thief@example.com', 150, { status: 404, code: 'unknown_order' }),
  // Sent before the purchase was answered, so the order may be unknown.
  lookUp(last.id, last.email, 199, { status: 404, code: 'unknown_order' }),
  refused(105, 112, 'queue_full'),
  refused(105, 112, 'sold_out'),
  refused(190, 201, 'sold_out'),
  // The refusal comes from a snapshot that is older than the cancellation.
  refused(300, 301, 'sold_out'),
  {
    kind: 'figures',
    sentAt: 104,
    endedAt: 105,
    origin: 'x',
    packageId: 1,
    status: 200,
    figures: { quota: 3, remaining: 0, held: 3, confirmed: 0, waiting: 3 },
  },
  { kind: 'fault', at: 100, until: 104, fault: 'pause', target: 'instance-1' },
  { kind: 'phase', at: 400, phase: 'end' },
];

describe('a correct run', () => {
  it('has no violation, even with unusual but correct events', async () => {
    expect(await violations(sale, clean)).toEqual([]);
  });

  it('has the same result in any order of its history', async () => {
    expect(await violations(sale.toReversed(), clean)).toEqual([]);
  });

  it('is counted by orders, answers and faults', async () => {
    async function* entries() {
      yield* sale;
    }
    const { figures } = await checkHistory(entries(), clean);
    expect(figures).toMatchObject({
      packages: 1,
      orders: 7,
      'orders confirmed': 2,
      'purchase no answer': 1,
      'purchase 409 sold_out': 4,
      'fault pause': 1,
      'flights reserved': 2,
      units: 3,
      'units sold': 2,
      'requests with another email': 1,
      'orders that were shown': 7,
      'orders with repeated purchases': 1,
      'refusals checked by time': 4,
    });
  });

  it('may contain buyers without a key who hang up and leave the queue, or whose order is stored without an answer', async () => {
    const keyless = { key: undefined, email: 'no-key@example.com' } as object;
    const gone = order(
      1,
      [
        ['queued', 10],
        ['withdrawn', 20],
      ],
      keyless,
    );
    const unheard = confirmed(2, 21, keyless);
    const history = [unanswered(gone, 5, 20), unanswered(unheard, 5, 20)];
    expect(await violations(history, stateOf(1, [gone, unheard]))).toEqual([]);
  });

  it('may contain public reservations', async () => {
    const flights = [...clean.flights, { key: 'public:x', number: 'F99', status: 'active' }];
    expect(await violations(sale, { ...clean, flights })).toEqual([]);
  });

  it('may end with orders in the queue of a paused sale', async () => {
    const waiting = order(1, [['queued', 10]]);
    const state = stateOf(1, [waiting], { isPaused: true, version: 2 });
    expect(await violations([purchase(waiting, 5, 12), change('pause', 20, 30, 2, 1)], state)).toEqual([]);
  });
});

describe('the listed violations', () => {
  it('are limited for each rule, while the figures contain the total count', async () => {
    const many = Array.from({ length: 50 }, (_, index) =>
      refused(index, index + 1, 'internal', { status: 500 }),
    );
    async function* entries() {
      yield* many;
    }
    const { violations: kept, figures } = await checkHistory(entries(), stateOf(0, []));
    expect(kept).toHaveLength(20);
    expect(figures['violations API']).toBe(50);
  });
});

const elsewhere = order(
  1,
  [
    ['claimed', 302],
    ['flight refused', 303],
    ['released', 304],
    ['failed', 304],
  ],
  { id: 'ID-elsewhere', packageId: 2 },
);

/** A planted violation, with exactly the rules that the checker must report. */
const planted: readonly (readonly [
  words: string,
  rules: string,
  history: (sale: readonly HistoryEntry[]) => readonly HistoryEntry[],
  state?: (clean: ReturnType<typeof stateOf>) => ReturnType<typeof stateOf>,
])[] = [
  [
    'API an answer that nobody documented',
    'API',
    (all) => [...all, refused(300, 301, 'internal', { status: 500 })],
  ],
  [
    'API an answer without a code',
    'API',
    (all) => [...all, { ...unanswered(second, 300, 301), status: 502 }],
  ],
  [
    'API a 200 without its order',
    'API',
    (all) => [...all, lookUp(second.id, second.email, 300, { status: 200 })],
  ],
  [
    'API 202 for an order that has ended',
    'API',
    (all) => [...all, { ...purchase(second, 300, 301), status: 202 }],
  ],
  [
    'API a cancel that is answered as confirmed',
    'API',
    (all) => [
      ...all,
      cancel(gaveUp.id, gaveUp.email, 195, { endedAt: 204, status: 201, order: seen(gaveUp, 'confirmed') }),
    ],
  ],
  ['Q1 an inventory that does not add up', 'Q1', same, (state) => withPackage(state, { remaining: 2 })],
  [
    'Q1 an inventory that differs from the orders',
    'Q1',
    same,
    (state) => withPackage(state, { confirmed: 1, remaining: 2 }),
  ],
  [
    'Q1 a shown inventory that does not add up',
    'Q1',
    (all) => [...all, shownFigures({ quota: 3, remaining: 1, held: 1, confirmed: 0, waiting: 0 })],
  ],
  [
    'Q1 orders of an unknown package',
    'Q1',
    (all) => [...all, purchase(elsewhere, 300, 320)],
    (state) => ({ ...state, orders: [...state.orders, elsewhere] }),
  ],
  [
    'Q3 an oversold quota in a shown inventory',
    'Q1 Q3',
    (all) => [...all, shownFigures({ quota: 3, remaining: -1, held: 0, confirmed: 4, waiting: 0 })],
  ],
  ['Q4 a package sold out from the start of its sale', 'Q4', (all) => [...all, refused(98, 99, 'sold_out')]],
  ['Q4 sold_out long after a cancellation', 'Q4', (all) => [...all, refused(20_000, 20_001, 'sold_out')]],
  ['Q4 queue_full while no order waited', 'Q4', (all) => [...all, refused(50, 51, 'queue_full')]],
  [
    'Q6 an answered order that is not stored',
    'Q6',
    (all) => [...all, purchase(confirmed(8, 150, { key: 'lost' }), 140, 170)],
  ],
  [
    'Q6 an answered order of another package',
    'Q6',
    (all) => [
      ...all,
      lookUp(second.id, second.email, 160, { status: 200, order: { ...seen(second), packageId: 2 } }),
    ],
  ],
  [
    'Q6 201 for an order that failed',
    'Q6',
    (all) => [
      ...all,
      {
        ...purchase(first, 110, 120),
        status: 201,
        code: undefined as never,
        order: { ...seen(first, 'confirmed'), ticketNumber: 'F1', reservationNumber: 'H1' },
      },
    ],
    (state) => withOrder(state, 1, { ticketNumber: 'F1', reservationNumber: 'H1' }),
  ],
  [
    'Q6 an order that a later look-up does not find',
    'Q6',
    (all) => [...all, lookUp(second.id, second.email, 150, { status: 404, code: 'unknown_order' })],
  ],
  [
    'Q6 an order that a later cancellation does not find',
    'Q6',
    (all) => [...all, cancel(second.id, second.email, 150, { status: 404, code: 'unknown_order' })],
  ],
  [
    'Q6 an order that goes back in its life cycle',
    'Q6',
    (all) => [...all, lookUp(third.id, third.email, 130, { status: 200, order: seen(third, 'held') })],
  ],
  [
    'Q6 an order shown in an impossible status',
    'Q6',
    (all) => [...all, lookUp(tooLate.id, tooLate.email, 104, { status: 200, order: seen(tooLate, 'held') })],
  ],
  [
    'Q6 an accepted cancellation that was not carried out',
    'Q6',
    (all) => [
      ...all,
      cancel(second.id, second.email, 150, { status: 202, order: seen(second, 'cancelling') }),
    ],
  ],
  ['Q6 a cancellation without a request', 'Q6', (all) => all.filter(({ kind }) => kind !== 'cancel')],
  [
    'Q7 a key that leads to two orders',
    'Q7',
    (all) => [...all, { ...purchase(second, 300, 301), key: third.key as string, email: second.email }],
  ],
  [
    'Q7 a key that is refused after its order was answered',
    'Q7',
    (all) => [...all, { ...unanswered(second, 300, 301), status: 409, code: 'sold_out' }],
  ],
  [
    'Q7 key_reused for the buyer of the key',
    'Q7',
    (all) => [...all, { ...unanswered(second, 98, 99), status: 422, code: 'key_reused' }],
  ],
  [
    'Q7 key_reused for a key without an order',
    'Q7',
    (all) => [...all, refused(300, 301, 'key_reused', { status: 422 })],
  ],
  [
    'Q7 an order that is shown to another email under its key',
    'Q6 Q7',
    (all) => [
      ...all,
      {
        ...unanswered(second, 98, 99),
        email: 'thief@example.com',
        status: 502,
        code: 'supplier_failed',
        order: seen(last, 'failed'),
      },
    ],
  ],
  [
    'Q7 two orders stored under one key',
    'Q7',
    (all) => all,
    (state) => withOrder(state, 6, { key: 'key-5' }),
  ],
  [
    'Q7 an order without a purchase',
    'Q7',
    (all) => all.filter((entry) => !('key' in entry && entry.key === second.key)),
  ],
  [
    'Q7 a stored order of a refused purchase',
    'Q7',
    (all) =>
      all.map((entry) =>
        entry.kind === 'purchase' && entry.key === first.key
          ? { ...unanswered(first, 95, 112), status: 409, code: 'sold_out' }
          : entry,
      ),
  ],
  [
    'Q8 an order shown confirmed without its tickets',
    'Q8',
    (all) => [
      ...all,
      lookUp(second.id, second.email, 150, {
        status: 200,
        order: { ...seen(second), ticketNumber: undefined },
      }),
    ],
  ],
  [
    'Q8 an order shown with a ticket that is not its own',
    'Q8',
    (all) => [
      ...all,
      lookUp(second.id, second.email, 150, { status: 200, order: { ...seen(second), ticketNumber: 'F3' } }),
    ],
  ],
  [
    'Q10 an order shown to another email',
    'Q10',
    (all) => [...all, lookUp(second.id, 'thief@example.com', 150, { status: 200, order: seen(second) })],
  ],
  [
    'Q10 an order cancelled by another email',
    'Q10',
    (all) => [...all, cancel(second.id, 'thief@example.com', 150, { status: 409, code: 'in_progress' })],
  ],
  [
    'Q10 another order than the requested one',
    'Q10',
    (all) => [...all, lookUp('0000-0000-0000-0000', second.email, 150, { status: 200, order: seen(second) })],
  ],
];

describe('finds a planted violation and reports no other rule', () => {
  for (const [words, rule, history, state] of planted) {
    it(words, async () => {
      expect(await rulesBroken(history(sale), state?.(clean) ?? clean)).toEqual(rule.split(' '));
    });
  }
});

function same(history: readonly HistoryEntry[]) {
  return history;
}

function withPackage(state: typeof clean, over: object): typeof clean {
  return { ...state, packages: state.packages.map((each) => ({ ...each, ...over })) };
}

function withOrder(state: typeof clean, number: number, over: object): typeof clean {
  return {
    ...state,
    orders: state.orders.map((each) => (each.number === number ? { ...each, ...over } : each)),
  };
}

function shownFigures(figures: object): HistoryEntry {
  return {
    kind: 'figures',
    sentAt: 300,
    endedAt: 301,
    origin: 'x',
    packageId: 1,
    status: 200,
    figures,
  } as HistoryEntry;
}

describe('an engine that promises less', () => {
  it('is judged by its own promises only', async () => {
    const wrong = stateOf(3, everybody, { remaining: 7, nextNumber: 99 });
    async function* entries() {
      yield* sale;
    }
    const rules = async (notPromised?: readonly string[]) =>
      new Set((await checkHistory(entries(), wrong, notPromised)).violations.map(({ rule }) => rule));
    expect(await rules()).toEqual(new Set(['Q1', 'Q5']));
    expect(await rules(['Q5'])).toEqual(new Set(['Q1']));
  });
});
