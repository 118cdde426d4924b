import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Order } from '../../src/domain/order.ts';
import type { OperatorEvent } from '../../src/storage/operator-log.ts';
import { FencedError, type Store } from '../../src/storage/store.ts';
import { allPackages } from '../support/all-packages.ts';
import { sampleChange, sampleInventory, sampleOrder, samplePackage } from './samples.ts';

const placeholder = 'erased-1@erased.invalid';

/** The part of the `Store` contract that operators use, run on each implementation. */
export function operatorStoreContract(name: string, open: () => Promise<OpenedStore>): void {
  describe(`store contract, for operators: ${name}`, () => {
    let opened: OpenedStore;
    let store: Store;

    beforeEach(async () => {
      opened = await open();
      store = opened.store;
      await store.addPackages([samplePackage({ id: 1 }), samplePackage({ id: 2 })]);
    });
    afterEach(() => opened.close());

    async function commit(change: Parameters<typeof sampleChange>[0], packageId = 1): Promise<void> {
      const present = await store.versionedPackage(packageId);
      if (present === undefined) throw new Error(`package ${packageId} is not there`);
      await store.commit(packageId, present.fence, sampleChange(change));
    }

    describe('the log of changes', () => {
      const event = (number: number, over: Partial<OperatorEvent> = {}): OperatorEvent => ({
        id: `event-${number}`,
        at: 1_000 + number,
        by: { name: 'admin', via: 'session', session: 's-1', address: '127.0.0.1' },
        instance: 'one',
        action: 'package.amend',
        target: { packageId: 1 },
        outcome: 'open',
        ...over,
      });

      test('keeps entries exactly, without adding absent members', async () => {
        const full = event(1, { wish: { quota: 5, opensAt: null }, before: { quota: 1, flights: ['a'] } });
        await store.appendOperatorEvent(full);
        expect((await store.operatorEvents(undefined, 10)).items).toStrictEqual([full]);
      });

      test('lists each entry once, newest first, for every page size', async () => {
        const numbers = [3, 1, 12, 2, 7, 5];
        for (const number of numbers) await store.appendOperatorEvent(event(number));
        // This event has the same time as another one.
        await store.appendOperatorEvent(event(8, { at: 1_007 }));
        const expected = [12, 8, 7, 5, 3, 2, 1].map((number) => `event-${number}`);
        for (const limit of [1, 2, 3, 7, 8]) {
          const seen: string[] = [];
          let cursor: string | undefined;
          do {
            const page = await store.operatorEvents(cursor, limit);
            expect(page.items.length).toBeLessThanOrEqual(limit);
            seen.push(...page.items.map(({ id }) => id));
            cursor = page.next;
          } while (cursor !== undefined);
          expect(seen, `limit ${limit}`).toEqual(expected);
        }
      });

      test('ends an entry once', async () => {
        await store.appendOperatorEvent(event(1));
        await store.endOperatorEvent('event-1', { outcome: 'done', after: { quota: 5 }, endedAt: 2_000 });
        await store.endOperatorEvent('event-1', { outcome: 'failed', code: 'internal', endedAt: 3_000 });
        await store.appendOperatorEvent(event(1, { at: 9 }));
        await store.endOperatorEvent('nobody', { outcome: 'done', endedAt: 3_000 });
        expect((await store.operatorEvents(undefined, 10)).items).toStrictEqual([
          { ...event(1), outcome: 'done', after: { quota: 5 }, endedAt: 2_000 },
        ]);
      });

      test('survives a clear and a reopen', async () => {
        await store.appendOperatorEvent(event(1));
        await store.clear();
        if (opened.reopen) store = await opened.reopen();
        expect((await store.operatorEvents(undefined, 10)).items).toHaveLength(1);
      });
    });

    describe('removing a package', () => {
      const fenceOf = async (id = 1) => (await store.versionedPackage(id))!.fence;

      test('removes a package, which can then be neither owned, written nor removed again', async () => {
        const { fence } = (await store.takeOwnership(1, 'one'))!;
        await store.removePackage(1, fence);
        expect((await allPackages(store)).map((each) => each.package.id)).toEqual([2]);
        expect(await store.takeOwnership(1, 'two')).toBeUndefined();
        const late = sampleChange({ inserted: [sampleOrder(1)] });
        await expect(store.commit(1, fence, late)).rejects.toBeInstanceOf(FencedError);
        await expect(store.removePackage(1, fence)).rejects.toBeInstanceOf(FencedError);
        expect(await store.order(sampleOrder(1).id)).toBeUndefined();
      });

      test('Q6 refuses to remove a package that has an order', async () => {
        const fence = await fenceOf();
        await commit({ inventory: sampleInventory({ nextNumber: 2 }), inserted: [sampleOrder(1)] });
        await expect(store.removePackage(1, fence)).rejects.toBeInstanceOf(FencedError);
        await expect(store.removePackage(1, await fenceOf())).rejects.toBeInstanceOf(FencedError);
        expect(await store.order(sampleOrder(1).id)).toBeDefined();
      });

      test('Q6 either a removal or a concurrent purchase succeeds, never both', async () => {
        for (let id = 10; id < 20; id++) {
          await store.addPackages([samplePackage({ id })]);
          const fence = await fenceOf(id);
          const order = sampleOrder(1, { packageId: id });
          const change = sampleChange({ inventory: sampleInventory({ nextNumber: 2 }), inserted: [order] });
          const [bought, removed] = await Promise.allSettled([
            store.commit(id, fence, change),
            store.removePackage(id, fence),
          ]);
          const isBought = bought.status === 'fulfilled';
          expect([isBought, removed.status === 'fulfilled'].filter(Boolean), `package ${id}`).toHaveLength(1);
          expect((await store.order(order.id)) !== undefined).toBe(isBought);
          expect((await store.package(id)) !== undefined).toBe(isBought);
        }
      });

      test('Q9 an owner of a removed package cannot write to a new package with the same id', async () => {
        const { fence } = (await store.takeOwnership(1, 'one'))!;
        await store.removePackage(1, fence);
        await store.addPackages([samplePackage({ id: 1 })]);
        const again = (await store.takeOwnership(1, 'two'))!;
        expect(again.fence).not.toEqual(fence);
        await expect(store.commit(1, fence, sampleChange())).rejects.toBeInstanceOf(FencedError);
        await store.commit(1, again.fence, sampleChange());
      });

      test('refuses a removal with another epoch or seq', async () => {
        const before = await fenceOf();
        const { fence } = (await store.takeOwnership(1, 'one'))!;
        await expect(store.removePackage(1, before)).rejects.toBeInstanceOf(FencedError);
        await store.commit(1, fence, sampleChange());
        await expect(store.removePackage(1, fence)).rejects.toBeInstanceOf(FencedError);
        await store.removePackage(1, await fenceOf());
      });
    });

    test('lists owners with instance and epoch', async () => {
      await store.takeOwnership(2, 'one');
      await store.takeOwnership(2, 'two');
      expect((await store.ownersPage(undefined, 9)).items).toStrictEqual([
        { packageId: 1, epoch: 0 },
        { packageId: 2, instance: 'two', epoch: 2 },
      ]);
      expect(await store.ownersOf([2, 77])).toStrictEqual([{ packageId: 2, instance: 'two', epoch: 2 }]);
      expect(await store.ownersOf([])).toStrictEqual([]);
    });

    test('finds the next package with orders', async () => {
      await store.addPackages([samplePackage({ id: 7 })]);
      expect(await store.packageWithOrdersAbove(0)).toBeUndefined();
      for (const packageId of [2, 7]) {
        const { fence } = (await store.versionedPackage(packageId))!;
        const inserted = [1, 2].map((number) => sampleOrder(number, { packageId }));
        await store.commit(packageId, fence, sampleChange({ inserted }));
      }
      expect(await store.packageWithOrdersAbove(0)).toBe(2);
      expect(await store.packageWithOrdersAbove(2)).toBe(7);
      expect(await store.packageWithOrdersAbove(7)).toBeUndefined();
    });

    test('lists packages and owners in pages by id, and knows the greatest id', async () => {
      await store.addPackages([30, 4, 500].map((id) => samplePackage({ id })));
      const ids: number[][] = [];
      const owners: number[][] = [];
      for (let cursor: string | undefined, isFirst = true; isFirst || cursor !== undefined; isFirst = false) {
        const page = await store.packagesPage(cursor, 2);
        const owned = await store.ownersPage(cursor, 2);
        ids.push(page.items.map((each) => each.package.id));
        owners.push(owned.items.map(({ packageId }) => packageId));
        expect(owned.next).toBe(page.next);
        cursor = page.next;
      }
      expect(ids).toEqual([[1, 2], [4, 30], [500]]);
      expect(owners).toEqual(ids);
      expect(await store.lastPackageId()).toBe(500);
      await store.clear();
      expect(await store.packagesPage(undefined, 2)).toEqual({ items: [] });
      expect(await store.lastPackageId()).toBe(0);
    });

    test('reads a setting without creating it', async () => {
      expect(await store.settingIfAny('b')).toBeUndefined();
      await store.setting('b', () => '');
      expect(await store.settingIfAny('b')).toBe('');
    });

    test('swaps a setting only if it still has the value that was read', async () => {
      expect(await store.swapSetting('x:1', undefined, undefined)).toBe(true);
      expect(await store.swapSetting('x:1', 'nothing', 'a')).toBe(false);
      expect(await store.swapSetting('x:1', undefined, 'a')).toBe(true);
      expect(await store.swapSetting('x:1', undefined, 'b')).toBe(false);
      expect(await store.swapSetting('x:1', 'b', 'c')).toBe(false);
      expect(await store.swapSetting('x:1', 'a', 'b')).toBe(true);
      const raced = await Promise.all(['c', 'd', 'e'].map((after) => store.swapSetting('x:1', 'b', after)));
      expect(raced.filter(Boolean)).toHaveLength(1);
      const kept = (await store.settingIfAny('x:1'))!;
      expect(await store.swapSetting('x:1', 'b', undefined)).toBe(false);
      expect(await store.swapSetting('x:1', kept, undefined)).toBe(true);
      expect(await store.settingIfAny('x:1')).toBeUndefined();
      expect(await store.swapSetting('x:1', undefined, undefined)).toBe(true);
    });

    test('finds settings by the prefix of their names', async () => {
      for (const name of ['x:2', 'x:1', 'x', 'y:1', 'X:3', 'x:%', 'x:ü'])
        await store.setting(name, () => name);
      expect(new Map(await store.settingsNamed('x:'))).toEqual(
        new Map(['x:1', 'x:2', 'x:%', 'x:ü'].map((name) => [name, name])),
      );
      expect((await store.settingsNamed('none')).size).toBe(0);
    });

    test('a takeover returns the former owner', async () => {
      expect(await store.takeOwnership(1, 'one')).not.toHaveProperty('former');
      expect(await store.takeOwnership(1, 'two')).toMatchObject({ former: 'one', fence: { epoch: 2 } });
      expect(await store.takeOwnership(1, 'two')).toMatchObject({ former: 'two', fence: { epoch: 3 } });
    });

    test('lists the newest orders first', async () => {
      await commit({ inserted: [3, 1, 2].map((number) => sampleOrder(number)) });
      await commit({ inserted: [sampleOrder(9, { packageId: 2 })] }, 2);
      const numbers = async (below: number | undefined, limit: number) =>
        (await store.ordersBelow(1, below, limit)).map(({ number }) => number);
      expect(await numbers(undefined, 2)).toEqual([3, 2]);
      expect(await numbers(2, 2)).toEqual([1]);
      expect(await numbers(1, 2)).toEqual([]);
    });

    test("finds an email's orders in all packages page by page, the greatest package and number first", async () => {
      const email = 'ana@example.com';
      const mine = (number: number, packageId: number) =>
        sampleOrder(number, { packageId, email, status: 'failed' });
      await commit({
        inserted: [mine(1, 1), sampleOrder(2), mine(3, 1), sampleOrder(4, { email: `x${email}` })],
      });
      await commit({ inserted: [mine(1, 2), mine(2, 2), sampleOrder(3, { packageId: 2 })] }, 2);
      const expected = [mine(2, 2), mine(1, 2), mine(3, 1), mine(1, 1)];
      for (const limit of [1, 2, 3, 4, 9]) {
        const found: Order[] = [];
        let cursor: string | undefined;
        do {
          const page = await store.ordersByEmail(email, cursor, limit);
          expect(page.items.length).toBeLessThanOrEqual(limit);
          found.push(...page.items);
          cursor = page.next;
        } while (cursor !== undefined);
        expect(found, `limit ${limit}`).toStrictEqual(expected);
      }
      await commit({ erased: [{ ...mine(3, 1), email: placeholder }] });
      expect((await store.ordersByEmail(email, undefined, 9)).items).toHaveLength(3);
      expect((await store.ordersByEmail(placeholder, undefined, 9)).items).toHaveLength(1);
      expect(await store.ordersByEmail('nobody@example.com', undefined, 9)).toEqual({ items: [] });
    });

    describe('erasing', () => {
      const settled = sampleOrder(1, { status: 'confirmed', key: 'ana@example.com-1' });
      const erased = { ...settled, email: placeholder, key: 'erased-1' };

      beforeEach(() => commit({ inserted: [settled, sampleOrder(2), sampleOrder(3, { status: 'failed' })] }));

      test('Q7 replaces the email and the key', async () => {
        const { key: _, ...keyless } = sampleOrder(4, { status: 'failed' });
        await commit({ inserted: [keyless] });
        const third = { ...sampleOrder(3, { status: 'failed' }), email: placeholder };
        await commit({ erased: [erased, third, { ...keyless, email: placeholder }] });
        expect(await store.order(settled.id)).toStrictEqual(erased);
        expect(await store.order(keyless.id)).toStrictEqual({ ...keyless, email: placeholder });
        expect(await store.ordersByKey(1, ['ana@example.com-1'])).toEqual([]);
        expect(await store.ordersByKey(1, ['erased-1', 'key-3'])).toHaveLength(2);
        expect((await store.ordersByEmail(settled.email, undefined, 99)).items).toEqual([]);
        expect((await store.ordersByEmail(placeholder, undefined, 99)).items).toHaveLength(3);
      });

      test('Q9 an erasure is fenced and applies together with the rest of its commit or not at all', async () => {
        const { fence } = (await store.versionedPackage(1))!;
        await store.takeOwnership(1, 'other');
        const change = sampleChange({ inventory: sampleInventory({ held: 3 }), erased: [erased] });
        await expect(store.commit(1, fence, change)).rejects.toBeInstanceOf(FencedError);
        await expect(commit({ inserted: [sampleOrder(2)], erased: [erased] })).rejects.toThrow();
        await expect(commit({ erased: [erased, { ...erased, id: 'nobody' }] })).rejects.toThrow();
        expect(await store.order(settled.id)).toStrictEqual(settled);
        expect((await store.package(1))?.inventory.held).toBe(0);
      });

      test('refuses to erase an order whose status has changed', async () => {
        const cancelling: Order = { ...settled, status: 'cancelling' };
        await commit({ updated: [cancelling] });
        await expect(commit({ erased: [erased] })).rejects.toThrow();
        expect(await store.order(settled.id)).toStrictEqual(cancelling);
      });

      test('Q6 a later update of the order keeps the replaced email and key', async () => {
        await commit({ erased: [erased] });
        const cancelling: Order = { ...erased, status: 'cancelling' };
        await commit({ updated: [cancelling] });
        expect(await store.order(settled.id)).toStrictEqual(cancelling);
        expect((await store.versionedPackage(1, { statuses: ['cancelling'], max: 9 }))?.orders).toStrictEqual(
          [cancelling],
        );
      });
    });
  });
}

/** An empty store that no other test uses. */
export interface OpenedStore {
  readonly store: Store;
  /** Closes the store and opens it again with its data. Absent if the data is in memory. */
  reopen?(): Promise<Store>;
  /**
   * Changes a stored package (its id) or order (its id) as another program would: gives it a document version, or
   * removes most of it.
   */
  spoil(id: number | string, how: number | 'damaged'): Promise<void>;
  /** Removes everything. */
  close(): Promise<void>;
}
