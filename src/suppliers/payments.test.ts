import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { type RecordingLog, recordingLog } from '../../test/support/recording-log.ts';
import { Abort } from '../lib/abort.ts';
import { type ResilientSuppliers, resilientSuppliers } from './resilient-suppliers.ts';
import type { PaymentClient, PaymentState, SupplierClient } from './suppliers.ts';

const never = new AbortController().signal;
const away = () => Promise.reject(new Error('away'));
const client: SupplierClient = { reserveFlight: away, reserveHotel: away, cancel: away, ledger: away };
const amount = { amount: 10_000, currency: 'EUR' };
const lookUp = { key: 'A', packageId: 1, ...amount };
const request = { ...lookUp, email: 'ana@example.com' };

let clock: ManualClock;
let log: RecordingLog;
let suppliers: ResilientSuppliers | undefined;
beforeEach(() => {
  clock = new ManualClock();
  log = recordingLog();
});
afterEach(() => suppliers?.close());

function open(over: Partial<PaymentClient> = {}): ResilientSuppliers {
  const payments: PaymentClient = {
    provider: 'https://pay.example',
    requestPayment: away,
    payment: away,
    cancelPayment: away,
    payments: away,
    ...over,
  };
  suppliers = resilientSuppliers({ client, payments, clock, log, timeoutMs: 1_000 });
  return suppliers;
}

const found = (state: Partial<PaymentState>) =>
  open({ payment: async () => ({ status: 'due', ...amount, ...state }) }).findPayment(lookUp, never);

describe('a look-up of a payment', () => {
  test.each(['due', 'paid', 'declined', 'cancelled', 'refunded'] as const)(
    'Q11 finds what the provider says: %s',
    async (status) => {
      expect(await found({ status })).toBe(status);
      expect(log.lines).toEqual([]);
    },
  );

  test.each([{ amount: 9_999 }, { currency: 'USD' }, { status: 'due' as const, amount: 1 }])(
    'Q11 does not take a payment of another amount for the payment of the order: %j',
    async (state) => {
      expect(await found({ status: 'paid', ...state })).toBe('other_amount');
      expect(log.lines).toHaveLength(1);
    },
  );

  test('takes a payment without an amount for the one that was asked for', async () => {
    const asked = open({ payment: async () => ({ status: 'paid' }) }).findPayment(lookUp, never);
    expect(await asked).toBe('paid');
  });

  test('Q11 finds the end of a payment whatever its amount, because a cancel makes one of 0', async () => {
    expect(await found({ status: 'cancelled', amount: 0, currency: 'XXX' })).toBe('cancelled');
  });

  test('tells no payment from no answer', async () => {
    expect(await open({ payment: async () => undefined }).findPayment(lookUp, never)).toBe('absent');
    expect(log.lines).toHaveLength(1);
    expect(await open().findPayment(lookUp, never)).toBe('unknown');
    const hangs = open({ payment: () => new Promise(() => {}) }).findPayment(lookUp, never);
    await clock.advance(1_000);
    expect(await hangs).toBe('unknown');
  });
});

test('Q12 128 look-ups are under way at most, and a half of them for one package', async () => {
  let underWay = 0;
  const calls = open({
    payment: () => {
      underWay += 1;
      return new Promise(() => {});
    },
  });
  for (let each = 0; each < 300; each++) void calls.findPayment(lookUp, never);
  await clock.advance(0);
  expect(underWay).toBe(64);
  for (let packageId = 2; packageId < 300; packageId++)
    void calls.findPayment({ ...lookUp, packageId }, never);
  await clock.advance(0);
  expect(underWay).toBe(128);
});

describe('a payment', () => {
  test('Q8 is requested again with the same key after an unknown outcome', async () => {
    const keys: string[] = [];
    const calls = open({
      async requestPayment({ key }) {
        if (keys.push(key) < 3) throw new Error('away');
        return { kind: 'reserved', number: 'https://pay.example/1' };
      },
    });
    const answer = calls.requestPayment(request, never);
    await clock.advance(10_000);
    expect(await answer).toEqual({ kind: 'reserved', number: 'https://pay.example/1' });
    expect(keys).toEqual(['A', 'A', 'A']);
  });

  test('Q12 whose provider is away stops the sale of its own package only', async () => {
    const calls = open();
    for (const key of ['A', 'B', 'C']) void calls.requestPayment({ ...request, key }, never);
    await clock.advance(10_000);
    expect([calls.available(1), calls.available(2)]).toEqual([false, true]);
    expect(calls.failing).toMatchObject([{ supplier: 'payments', packages: 1 }]);
  });

  test('Q12 that is refused stops no sale', async () => {
    const calls = open({ requestPayment: async () => ({ kind: 'refused', code: 'payment_refused' }) });
    for (let each = 0; each < 20; each++)
      expect(await calls.requestPayment({ ...request, key: `${each}` }, never)).toEqual({
        kind: 'refused',
        code: 'payment_refused',
      });
    expect(calls.available(1)).toBe(true);
    expect(log.lines).toEqual([]);
  });

  test('Q12 that is refused outside the protocol ends its order at once, and the sale if all are', async () => {
    let asked = 0;
    let isBad = (_: number) => true;
    const calls = open({
      async requestPayment() {
        if (!isBad(++asked)) return { kind: 'reserved', number: 'https://pay.example/1' };
        return { kind: 'refused', code: 'payment_refused', cause: 'status 422' };
      },
    });
    const ask = (key: number) => calls.requestPayment({ ...request, key: `${key}` }, never);
    isBad = (count) => count % 10 > 0;
    for (let each = 1; each <= 40; each++)
      expect(await ask(each)).toMatchObject({ kind: each % 10 > 0 ? 'refused' : 'reserved' });
    expect(calls.available(1)).toBe(true);
    expect(log.lines).toHaveLength(36);
    isBad = () => true;
    for (let each = 41; each <= 50; each++) expect(await ask(each)).toMatchObject({ kind: 'refused' });
    expect(calls.available(1)).toBe(false);
    expect(asked).toBe(50);
  });

  test('Q11 is cancelled at the provider, and a cancel that failed is not taken for done', async () => {
    const cancelled: string[] = [];
    const calls = open({ cancelPayment: async (key) => void cancelled.push(key) });
    expect(await calls.cancel('payments', lookUp, never)).toBe(true);
    expect(cancelled).toEqual(['A']);
    expect(await open().cancel('payments', lookUp, never)).toBe(false);
  });

  const isOff = 'payments are off, but the order has to be paid';
  const isElsewhere = 'PAYMENTS is not the provider that has the payment of the order';
  test.each([
    ['while payments are off', undefined, isOff],
    ['while payments are off, of a known provider', 'simulated', isOff],
    ['while another provider is configured', 'simulated', isElsewhere],
  ])('Q11 waits %s, and is neither lost nor refunded', async (_, provider, line) => {
    const asked: string[] = [];
    const note = (what: string) => async () => void asked.push(what);
    const isOpen = line === isElsewhere;
    if (!isOpen) suppliers = resilientSuppliers({ client, clock, log, timeoutMs: 1_000 });
    if (isOpen)
      open({
        requestPayment: async () => ({ kind: 'reserved', number: 'https://pay.example/1' }),
        payment: async () => undefined,
        cancelPayment: note('cancel'),
      });
    const calls = suppliers!;
    const stop = new Abort();
    const outcomes: unknown[] = [];
    const all = [
      calls.requestPayment({ ...request, provider }, stop),
      calls.findPayment({ ...lookUp, provider }, stop),
      calls.cancel('payments', { ...lookUp, provider }, stop),
    ].map(async (call) => outcomes.push(await call));
    await clock.advance(600_000);
    expect(outcomes).toEqual([]);
    expect(log.lines).toEqual([line, line, line]);
    stop.abort();
    await Promise.all(all);
    expect(outcomes).toEqual([{ kind: 'unknown', cause: line }, 'unknown', false]);
    expect(asked).toEqual([]);
    expect(calls.available(1)).toBe(true);
  });

  test('Q11 of an order that names no provider, or this one, is at the configured provider', async () => {
    const cancelled: string[] = [];
    const calls = open({
      payment: async () => ({ status: 'paid' }),
      cancelPayment: async (key) => void cancelled.push(key),
    });
    for (const provider of [undefined, 'https://pay.example']) {
      expect(await calls.findPayment({ ...lookUp, provider }, never)).toBe('paid');
      expect(await calls.cancel('payments', { ...lookUp, provider }, never)).toBe(true);
    }
    expect(cancelled).toEqual(['A', 'A']);
  });

  test('Q8 the reservations of an order are cancelled although its payment is elsewhere', async () => {
    const cancelled: string[] = [];
    suppliers = resilientSuppliers({
      ...{ clock, log, timeoutMs: 1_000 },
      client: { ...client, cancel: async (kind) => void cancelled.push(kind) },
    });
    expect(await suppliers.cancel('hotels', { ...lookUp, provider: 'simulated' }, never)).toBe(true);
    expect(cancelled).toEqual(['hotels']);
  });
});
