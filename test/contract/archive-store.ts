import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Order } from '../../src/domain/order.ts';
import type { ArchiveStore, StoredReservation } from '../../src/storage/archive-store.ts';
import type { OperatorEvent } from '../../src/storage/operator-log.ts';
import type { Store } from '../../src/storage/store.ts';
import { publicKeyPrefix, type SupplierLedger } from '../../src/suppliers/suppliers.ts';
import type { OpenedStore } from './operator-store.ts';
import { sampleChange, sampleOrder, samplePackage } from './samples.ts';

type ArchivedStore = Store & { readonly archive: ArchiveStore; readonly ledger: SupplierLedger };

/** The contract of `ArchiveStore`, run on each implementation. */
export function archiveStoreContract(
  name: string,
  open: () => Promise<OpenedStore & { readonly store: ArchivedStore }>,
): void {
  describe(`archive contract: ${name}`, () => {
    let opened: Awaited<ReturnType<typeof open>>;
    let store: ArchivedStore;
    const ended = [
      sampleOrder(1, { status: 'confirmed' }),
      sampleOrder(2, { status: 'failed' }),
      sampleOrder(3, { status: 'confirmed' }),
    ];

    beforeEach(async () => {
      opened = await open();
      store = opened.store;
      await store.addPackages([samplePackage({ id: 1 }), samplePackage({ id: 2 })]);
      await commit({ inserted: [...ended, sampleOrder(4)] });
    });
    afterEach(() => opened.close());

    async function commit(change: Parameters<typeof sampleChange>[0], packageId = 1): Promise<void> {
      const present = await store.versionedPackage(packageId);
      if (present === undefined) throw new Error(`package ${packageId} is not there`);
      await store.commit(packageId, present.fence, sampleChange(change));
    }

    async function record(kind: StoredReservation['kind'], key: string, at?: number): Promise<void> {
      const entry = { key, number: `N-${key}`, status: 'active', subject: 'Flight-1', packageId: 1 } as const;
      await store.ledger.record(kind, entry, at);
    }

    async function numbers(packageId = 1): Promise<number[]> {
      return (await store.ordersPage(packageId, undefined, 99)).items.map(({ number }) => number);
    }

    test('Q1 removes the given orders, counts them, and keeps the ids of confirmed ones', async () => {
      expect(await store.archivedCounts(1)).toEqual({ orders: 0, confirmed: 0 });
      expect(await store.archive.removeOrders(1, ended.slice(0, 2), [])).toBe(2);
      expect(await numbers()).toEqual([3, 4]);
      expect(await store.order('ORDER-1-1')).toBeUndefined();
      expect(await store.ordersByKey(1, ['key-1', 'key-3'])).toEqual([ended[2]]);
      expect((await store.ordersByEmail('buyer1@example.com', undefined, 9)).items).toEqual([]);
      expect(await store.archivedCounts(1)).toEqual({ orders: 2, confirmed: 1 });
      expect(await store.archivedCounts(2)).toEqual({ orders: 0, confirmed: 0 });
      expect(await store.archivedIds(['ORDER-1-1', 'ORDER-1-2', 'ORDER-1-3'])).toEqual(['ORDER-1-1']);
      expect(await store.archivedIds([])).toEqual([]);
      await store.archive.removeOrders(1, ended, []);
      expect(await store.archivedCounts(1)).toEqual({ orders: 3, confirmed: 2 });
    });

    test('Q1 a repeated removal removes and counts nothing again, also at the same time', async () => {
      const removals = Array.from({ length: 4 }, () =>
        store.archive.removeOrders(1, ended, []).catch(() => 0),
      );
      const removed = (await Promise.all(removals)).reduce((sum, each) => sum + each, 0);
      expect(removed).toBe(3);
      expect(await store.archive.removeOrders(1, ended, [])).toBe(0);
      expect(await store.archivedCounts(1)).toEqual({ orders: 3, confirmed: 2 });
    });

    test('Q9 a removal neither fences the owner nor changes the package', async () => {
      const { fence } = (await store.takeOwnership(1, 'one'))!;
      const before = await store.package(1);
      await store.archive.removeOrders(1, ended, []);
      expect(await store.package(1)).toEqual(before);
      await store.commit(1, fence, sampleChange({ inserted: [sampleOrder(5)] }));
      expect(await numbers()).toEqual([4, 5]);
      expect((await store.takeOwnership(1, 'two'))?.unfinished).toHaveLength(2);
    });

    test('an order that has changed since it was read stays, with its entries and uncounted', async () => {
      const cancelling = ended[0] as Order;
      const timeline = [...cancelling.timeline, { at: 9, event: 'cancel requested' } as const];
      await record('flights', 'ORDER-1-1');
      await record('flights', 'ORDER-1-3');
      const reservations = await store.archive.reservationsOf(['ORDER-1-1', 'ORDER-1-3']);
      await commit({
        updated: [{ ...cancelling, status: 'cancelling', timeline }],
        erased: [{ ...(ended[1] as Order), email: 'erased-1@erased.invalid' }],
      });
      expect(await store.archive.removeOrders(1, ended, reservations)).toBe(1);
      expect(await numbers()).toEqual([1, 2, 4]);
      expect(await store.archivedCounts(1)).toEqual({ orders: 1, confirmed: 1 });
      expect(await store.ledger.find('flights', 'ORDER-1-1')).toBeDefined();
      expect(await store.ledger.find('flights', 'ORDER-1-3')).toBeUndefined();
    });

    test('an order whose timeline has grown since it was read stays', async () => {
      const [order] = ended as [Order];
      await commit({ updated: [{ ...order, timeline: [...order.timeline, { at: 9, event: 'confirmed' }] }] });
      expect(await store.archive.removeOrders(1, [order], [])).toBe(0);
      expect(await store.archivedCounts(1)).toEqual({ orders: 0, confirmed: 0 });
    });

    test('an order of another package or with another number stays', async () => {
      await commit({ inserted: [sampleOrder(1, { packageId: 2, status: 'failed' })] }, 2);
      const foreign = { ...sampleOrder(1, { packageId: 2, status: 'failed' }) };
      expect(await store.archive.removeOrders(1, [foreign], [])).toBe(0);
      expect(await store.archive.removeOrders(1, [{ ...(ended[1] as Order), number: 7 }], [])).toBe(0);
      expect(await numbers(2)).toEqual([1]);
      expect(await store.archivedCounts(2)).toEqual({ orders: 0, confirmed: 0 });
    });

    test('an owner that changes a removed order is refused, and changes nothing', async () => {
      const { fence } = (await store.takeOwnership(1, 'one'))!;
      await store.archive.removeOrders(1, ended, []);
      const updated = [{ ...(ended[0] as Order), status: 'cancelling' as const }];
      await expect(store.commit(1, fence, sampleChange({ updated }))).rejects.toThrow(/order/);
      await store.commit(1, fence, sampleChange({ inserted: [sampleOrder(5)] }));
    });

    test('Q8 the entries of orders are read with their times, and removed with their orders only', async () => {
      await record('flights', 'ORDER-1-1', 1_000);
      await record('hotels', 'ORDER-1-1', 2_000);
      await record('flights', 'ORDER-1-3');
      await record('flights', 'ORDER-1-4', 3_000);
      const entry = { number: 'N-ORDER-1-1', status: 'active', subject: 'Flight-1', packageId: 1 };
      const read = await store.archive.reservationsOf(['ORDER-1-1', 'ORDER-1-3', 'nobody']);
      expect(read).toHaveLength(3);
      expect(read).toEqual(
        expect.arrayContaining([
          { kind: 'flights', key: 'ORDER-1-1', ...entry, at: 1_000 },
          { kind: 'hotels', key: 'ORDER-1-1', ...entry, at: 2_000 },
          { kind: 'flights', key: 'ORDER-1-3', ...entry, number: 'N-ORDER-1-3' },
        ]),
      );
      const cancelled = read.map((each) => (each.kind === 'hotels' ? { ...each, status: 'refused' } : each));
      await store.archive.removeOrders(1, ended.slice(0, 1), cancelled as StoredReservation[]);
      expect(await store.ledger.find('flights', 'ORDER-1-1')).toBeUndefined();
      expect(await store.ledger.find('hotels', 'ORDER-1-1')).toBeDefined();
      expect(await store.ledger.find('flights', 'ORDER-1-3')).toBeDefined();
      expect(await store.ledger.find('flights', 'ORDER-1-4')).toBeDefined();
    });

    test('public entries are listed by key and removed alone', async () => {
      const keys = ['', 'a', '\u{1F600}', 'é', '~'].map((key) => publicKeyPrefix + key);
      for (const key of [...keys, 'ORDER-1-1', 'public', 'publicity', 'q']) await record('flights', key, 5);
      await record('hotels', `${publicKeyPrefix}a`);
      for (const limit of [1, 2, 9]) {
        const found: StoredReservation[] = [];
        let cursor: string | undefined;
        do {
          const page = await store.archive.publicReservations('flights', cursor, limit);
          expect(page.items.length).toBeLessThanOrEqual(limit);
          found.push(...page.items);
          cursor = page.next;
        } while (cursor !== undefined);
        // The prefix alone is no key: every public caller has a key or gets one.
        expect(new Set(found.map(({ key }) => key)), `limit ${limit}`).toEqual(new Set(keys.slice(1)));
      }
      const { items } = await store.archive.publicReservations('flights', undefined, 2);
      expect(items.every(({ at, kind }) => at === 5 && kind === 'flights')).toBe(true);
      const changed = { ...(items[1] as StoredReservation), status: 'cancelled' } as const;
      expect(await store.archive.removeReservations([items[0] as StoredReservation, changed])).toBe(1);
      expect(await store.archive.removeReservations([])).toBe(0);
      expect(await store.ledger.find('flights', items[0]?.key ?? '')).toBeUndefined();
      expect(await store.ledger.find('flights', items[1]?.key ?? '')).toBeDefined();
    });

    test('entries of the change log are removed unless they have ended since', async () => {
      const event = (number: number): OperatorEvent => ({
        ...{ id: `event-${number}`, at: number, by: { name: 'admin', via: 'token' }, instance: 'one' },
        ...{ action: 'package.pause', target: { packageId: 1 }, outcome: 'open' },
      });
      for (const number of [1, 2, 3]) await store.appendOperatorEvent(event(number));
      await store.endOperatorEvent('event-2', { outcome: 'done', endedAt: 9 });
      expect(await store.archive.removeOperatorEvents([event(1), event(2)])).toBe(1);
      expect(await store.archive.removeOperatorEvents([])).toBe(0);
      const { items } = await store.operatorEvents(undefined, 9);
      expect(items.map(({ id }) => id)).toEqual(['event-3', 'event-2']);
    });

    test('counts survive a reopen, and a clear resets them', async () => {
      await store.archive.removeOrders(1, ended, []);
      const reopened = (await opened.reopen?.()) ?? store;
      expect(await reopened.archivedCounts(1)).toEqual({ orders: 3, confirmed: 2 });
      const snapshot = await reopened.snapshot?.();
      if (snapshot) expect(await snapshot.archivedCounts(1)).toEqual({ orders: 3, confirmed: 2 });
      await snapshot?.close();
      await reopened.clear();
      expect(await reopened.archivedCounts(1)).toEqual({ orders: 0, confirmed: 0 });
      expect(await reopened.archivedIds(['ORDER-1-1'])).toEqual([]);
    });
  });
}
