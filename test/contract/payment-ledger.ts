import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { allItemsOf } from '../../src/lib/page.ts';
import {
  neverRequested,
  type PaymentEntry,
  type PaymentLedger,
  type PaymentMove,
} from '../../src/suppliers/suppliers.ts';

/** An empty ledger that no other test uses. */
interface OpenedPayments {
  readonly ledger: PaymentLedger;
  /** Closes the ledger and opens it again with its data. Absent if the data is in memory. */
  reopen?(): Promise<PaymentLedger>;
  /** Removes everything. */
  close(): Promise<void>;
}

/** The contract of `PaymentLedger`, run on each implementation. */
export function paymentLedgerContract(name: string, open: () => Promise<OpenedPayments>): void {
  describe(`payment ledger contract: ${name}`, () => {
    let opened: OpenedPayments;
    let ledger: PaymentLedger;

    beforeEach(async () => {
      opened = await open();
      ledger = opened.ledger;
    });
    afterEach(() => opened.close());

    test('Q11 the first record of a key is final', async () => {
      expect(await ledger.record(entry('A'))).toStrictEqual(entry('A'));
      const again = entry('A', { number: 'other', amount: 1, returnUrl: 'https://else.example' });
      expect(await ledger.record(again)).toStrictEqual(entry('A'));
      expect(await ledger.find('A')).toStrictEqual(entry('A'));
      expect(await ledger.findByNumber('N-A')).toStrictEqual(entry('A'));
      expect(await ledger.findByNumber('other')).toBeUndefined();
    });

    test('finds nothing where nothing is', async () => {
      await ledger.move('B', 'cancel');
      expect(await ledger.find('A')).toBeUndefined();
      expect(await ledger.find('__proto__')).toBeUndefined();
      expect(await ledger.findByNumber('')).toBeUndefined();
    });

    test.each([
      ['paid', ['pay']],
      ['paid', ['pay', 'pay']],
      ['paid', ['pay', 'decline']],
      ['declined', ['decline']],
      ['declined', ['decline', 'pay']],
      ['declined', ['decline', 'cancel']],
      ['cancelled', ['cancel']],
      ['cancelled', ['cancel', 'cancel']],
      ['cancelled', ['cancel', 'decline']],
      ['refunded', ['pay', 'cancel']],
      ['refunded', ['pay', 'cancel', 'cancel']],
      ['refunded', ['cancel', 'pay']],
      ['refunded', ['cancel', 'pay', 'cancel', 'pay']],
    ] as [PaymentEntry['status'], PaymentMove[]][])('Q11 a payment is %s after %j', async (status, moves) => {
      await ledger.record(entry('A'));
      let moved: PaymentEntry | undefined;
      for (const move of moves) moved = await ledger.move('A', move);
      expect(moved).toStrictEqual(entry('A', { status }));
      expect(await ledger.find('A')).toStrictEqual(moved);
    });

    test('Q11 a payment that is requested after its cancel stays cancelled', async () => {
      expect(await ledger.move('A', 'cancel')).toStrictEqual(neverRequested('A'));
      expect(await ledger.record(entry('A'))).toStrictEqual(neverRequested('A'));
      expect(await ledger.move('B', 'pay')).toBeUndefined();
      expect(await ledger.find('B')).toBeUndefined();
    });

    test('Q11 a concurrent payment and cancel end as refunded', async () => {
      const keys = Array.from({ length: 20 }, (_, each) => `K${each}`);
      for (const key of keys) await ledger.record(entry(key));
      await Promise.all(keys.flatMap((key) => [ledger.move(key, 'pay'), ledger.move(key, 'cancel')]));
      for (const key of keys) expect((await ledger.find(key))?.status).toBe('refunded');
    });

    test('pages list each payment once, by key', async () => {
      for (const key of ['B', 'A', 'C']) await ledger.record(entry(key));
      await ledger.move('D', 'cancel');
      for (const limit of [1, 2, 4, 5]) {
        const listed = await allItemsOf((cursor) => ledger.page(cursor, limit));
        expect(listed).toStrictEqual([entry('A'), entry('B'), entry('C'), neverRequested('D')]);
      }
    });

    test('what was acknowledged survives a reopen', async () => {
      if (!opened.reopen) return;
      await ledger.record(entry('A'));
      await ledger.move('A', 'pay');
      ledger = await opened.reopen();
      expect(await ledger.find('A')).toStrictEqual(entry('A', { status: 'paid' }));
    });
  });
}

function entry(key: string, over: Partial<PaymentEntry> = {}): PaymentEntry {
  const amount = { amount: 10_000, currency: 'EUR' };
  return { key, status: 'due', ...amount, number: `N-${key}`, returnUrl: 'https://t.example/"1"', ...over };
}
