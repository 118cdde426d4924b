import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LedgerEntry, Reservation, SupplierLedger } from '../../src/suppliers/suppliers.ts';

/** An empty ledger that no other test uses. */
export interface OpenedLedger {
  readonly ledger: SupplierLedger;
  /** Closes the ledger and opens it again with its data. Absent if the data is in memory. */
  reopen?(): Promise<SupplierLedger>;
  /** Removes everything. */
  close(): Promise<void>;
}

/** The contract of `SupplierLedger`, run on each implementation. */
export function ledgerContract(name: string, open: () => Promise<OpenedLedger>): void {
  describe(`ledger contract: ${name}`, () => {
    let opened: OpenedLedger;
    let ledger: SupplierLedger;

    beforeEach(async () => {
      opened = await open();
      ledger = opened.ledger;
    });
    afterEach(() => opened.close());

    async function walk(limit: number): Promise<Reservation[]> {
      const found: Reservation[] = [];
      let cursor: string | undefined;
      do {
        const page = await ledger.page('flights', cursor, limit);
        expect(page.items.length).toBeLessThanOrEqual(limit);
        found.push(...page.items);
        cursor = page.next;
      } while (cursor !== undefined);
      return found;
    }

    test('keeps records, separately for each supplier', async () => {
      expect(await ledger.record('flights', entry('A'))).toStrictEqual(entry('A'));
      expect(await ledger.find('flights', 'A')).toStrictEqual(entry('A'));
      expect(await ledger.find('hotels', 'A')).toBeUndefined();
      expect(await ledger.find('flights', 'a')).toBeUndefined();
      expect(await ledger.find('flights', '__proto__')).toBeUndefined();
    });

    test('Q8 the first record of a key is final', async () => {
      await ledger.record('flights', entry('A'));
      const again = entry('A', { number: 'F-other', status: 'refused', subject: 'Flight-9', packageId: 9 });
      expect(await ledger.record('flights', again)).toStrictEqual(entry('A'));
      expect(await ledger.findByNumber('flights', 'F-other')).toBeUndefined();
    });

    test('Q8 concurrent records of one key all return the stored record', async () => {
      const kept = await Promise.all(
        Array.from({ length: 10 }, (_, each) =>
          ledger.record('flights', entry('A', { number: `F-${each}` })),
        ),
      );
      expect(new Set(kept.map(({ number }) => number)).size).toBe(1);
      expect(await ledger.find('flights', 'A')).toStrictEqual(kept[0]);
      expect(await walk(10)).toHaveLength(1);
    });

    test('finds a reservation by number at its own supplier only', async () => {
      await ledger.record('flights', entry('A'));
      await ledger.record('flights', entry('B', { number: '', status: 'refused' }));
      expect(await ledger.findByNumber('flights', 'F-A')).toStrictEqual(entry('A'));
      expect(await ledger.findByNumber('hotels', 'F-A')).toBeUndefined();
      expect(await ledger.findByNumber('flights', '')).toBeUndefined();
      expect(await ledger.findByNumber('flights', 'F-B')).toBeUndefined();
    });

    test('Q8 a cancelled reservation keeps its number, and a second cancel has no effect', async () => {
      await ledger.record('flights', entry('A'));
      await ledger.cancel('flights', 'A');
      await ledger.cancel('flights', 'A');
      expect(await ledger.find('flights', 'A')).toStrictEqual(entry('A', { status: 'cancelled' }));
      expect(await ledger.findByNumber('flights', 'F-A')).toMatchObject({ status: 'cancelled' });
      expect(await ledger.record('flights', entry('A'))).toMatchObject({ status: 'cancelled' });
    });

    test('Q8 a reservation that arrives after its cancel stays cancelled', async () => {
      await ledger.cancel('flights', 'A');
      expect(await ledger.record('flights', entry('A'))).toMatchObject({ key: 'A', status: 'cancelled' });
      expect(await ledger.find('flights', 'A')).toMatchObject({ status: 'cancelled', number: '' });
      expect(await ledger.record('hotels', entry('A'))).toStrictEqual(entry('A'));
    });

    test('Q8 a concurrent cancel and record end as cancelled', async () => {
      await Promise.all(
        Array.from({ length: 20 }, (_, each) => [
          ledger.record('flights', entry(`A${each}`)),
          ledger.cancel('flights', `A${each}`),
        ]).flat(),
      );
      for (let each = 0; each < 20; each++) {
        expect(await ledger.find('flights', `A${each}`)).toMatchObject({ status: 'cancelled' });
      }
    });

    test('a refused key can be cancelled', async () => {
      await ledger.record('flights', entry('A', { number: '', status: 'refused' }));
      await ledger.cancel('flights', 'A');
      expect(await ledger.find('flights', 'A')).toMatchObject({ status: 'cancelled' });
    });

    test('pages list each numbered reservation once, by key, for every page size', async () => {
      const keys = ['B', 'public:a', 'A', '__proto__', 'é', 'C'];
      for (const key of keys) await ledger.record('flights', entry(key));
      await ledger.cancel('flights', 'A');
      await ledger.cancel('flights', 'never reserved');
      await ledger.record('flights', entry('Refused', { number: '', status: 'refused' }));
      await ledger.record('hotels', entry('Hotel'));
      for (const limit of [1, 2, 3, 6, 7]) {
        const listed = await walk(limit);
        expect(new Set(listed.map(({ key }) => key)), `limit ${limit}`).toEqual(new Set(keys));
        expect(listed).toHaveLength(keys.length);
        expect(listed.find(({ key }) => key === 'A')).toStrictEqual({
          key: 'A',
          number: 'F-A',
          status: 'cancelled',
        });
        expect(listed.find(({ key }) => key === 'B')).toStrictEqual({
          key: 'B',
          number: 'F-B',
          status: 'active',
        });
      }
    });

    test('an empty ledger has one empty page', async () => {
      expect(await ledger.page('hotels', undefined, 10)).toEqual({ items: [] });
    });

    test('acknowledged records survive a reopen', async () => {
      if (!opened.reopen) return;
      await ledger.record('flights', entry('A'));
      await ledger.cancel('hotels', 'B');
      ledger = await opened.reopen();
      expect(await ledger.find('flights', 'A')).toStrictEqual(entry('A'));
      expect(await ledger.record('hotels', entry('B'))).toMatchObject({ status: 'cancelled' });
    });
  });
}

function entry(key: string, over: Partial<LedgerEntry> = {}): LedgerEntry {
  return { key, number: `F-${key}`, status: 'active', subject: 'Flight-1', packageId: 1, ...over };
}
