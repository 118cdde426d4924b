import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Order } from '../../src/domain/order.ts';
import { type Store, UnreadableError } from '../../src/storage/store.ts';
import { allPackages } from '../support/all-packages.ts';
import type { OpenedStore } from './operator-store.ts';
import { sampleChange, sampleInventory, sampleOrder, samplePackage } from './samples.ts';

/** Greater than the version of any document of this release. */
const newerVersion = 9;

/** The part of the `Store` contract about documents that cannot be read, run on each implementation. */
export function unreadableDocumentsContract(name: string, open: () => Promise<OpenedStore>): void {
  describe.each([
    ['of a newer release', newerVersion],
    ['that is damaged', 'damaged'],
  ] as const)(`store contract, a document %s: ${name}`, (_, how) => {
    let opened: OpenedStore;
    let store: Store;
    const version = how === 'damaged' ? undefined : how;

    beforeEach(async () => {
      opened = await open();
      store = opened.store;
      await store.addPackages([samplePackage({ id: 1 }), samplePackage({ id: 2 }), samplePackage({ id: 3 })]);
    });
    afterEach(() => opened.close());

    async function insert(...inserted: Order[]): Promise<void> {
      const packageId = inserted[0]?.packageId ?? 1;
      const present = await store.versionedPackage(packageId);
      if (present === undefined) throw new Error(`package ${packageId} is not there`);
      const inventory = sampleInventory({ nextNumber: inserted.length + 1 });
      await store.commit(packageId, present.fence, sampleChange({ inventory, inserted }));
    }

    const unreadable = (subject: object) => expect.objectContaining({ subject, version });
    const refusal = (subject: object) =>
      expect.objectContaining({ name: 'UnreadableError', subject, version });

    test('Q12 an unreadable package affects only itself', async () => {
      await insert(sampleOrder(1, { packageId: 2 }));
      await opened.spoil(1, how);
      expect((await allPackages(store)).map((each) => each.package.id)).toEqual([2, 3]);
      expect(store.unreadable()).toEqual([unreadable({ packageId: 1 })]);
      for (const read of [
        () => store.package(1),
        () => store.versionedPackage(1),
        () => store.takeOwnership(1, 'one'),
      ]) {
        await expect(read()).rejects.toEqual(refusal({ packageId: 1 }));
        await expect(read()).rejects.toBeInstanceOf(UnreadableError);
      }
      // Nobody has taken it over.
      expect(await store.ownersOf([1])).toEqual([{ packageId: 1, epoch: 0 }]);
      const { items: owners } = await store.ownersPage(undefined, 9);
      expect(owners.map(({ packageId }) => packageId)).toEqual([1, 2, 3]);
      expect(await store.package(2)).toBeDefined();
      expect((await store.takeOwnership(2, 'one'))?.unfinished).toHaveLength(1);
      await store.ping();
    });

    test('Q12 an unreadable package does not undo what is written at the same time', async () => {
      await opened.spoil(1, how);
      const [refused, taken] = await Promise.allSettled([
        store.takeOwnership(1, 'one'),
        store.takeOwnership(2, 'one'),
      ]);
      expect(refused).toMatchObject({ reason: { subject: { packageId: 1 } } });
      expect(taken).toMatchObject({ value: { fence: { epoch: 1 } } });
    });

    test('Q12 an unreadable package is left out of its page, and the next page follows', async () => {
      await opened.spoil(2, how);
      const page = await store.packagesPage(undefined, 2);
      expect([page.items.map((each) => each.package.id), page.next]).toEqual([[1], '2']);
      // The page above does not forget what the page before has found.
      expect((await store.packagesPage('2', 2)).items.map((each) => each.package.id)).toEqual([3]);
      expect(store.unreadable()).toEqual([unreadable({ packageId: 2 })]);
      expect(await store.lastPackageId()).toBe(3);
    });

    test('Q12 a package that was removed is no longer named', async () => {
      await opened.spoil(1, how);
      await allPackages(store);
      expect(store.unreadable()).toHaveLength(1);
      await store.clear();
      expect(await allPackages(store)).toEqual([]);
      expect(store.unreadable()).toEqual([]);
    });

    test('Q12 what was removed is no longer named, once a read looks for it', async () => {
      await insert(sampleOrder(1), sampleOrder(2));
      for (const id of [1, 'ORDER-1-1', 'ORDER-1-2']) await opened.spoil(id, how);
      await expect(store.package(1)).rejects.toThrow();
      expect(await store.orders(['ORDER-1-1', 'ORDER-1-2'])).toEqual([]);
      expect(store.unreadable()).toHaveLength(3);
      await store.clear();
      expect(await store.package(1)).toBeUndefined();
      expect(await store.order('ORDER-1-1')).toBeUndefined();
      expect(store.unreadable()).toEqual([unreadable({ packageId: 1, orderId: 'ORDER-1-2' })]);
      expect(await store.orders(['ORDER-1-2'])).toEqual([]);
      expect(store.unreadable()).toEqual([]);
    });

    test('Q12 an unreadable order affects only itself in look-ups and lists', async () => {
      const orders = [1, 2, 3, 4, 5].map((number) => sampleOrder(number, { email: 'a@example.com' }));
      await insert(...orders);
      await opened.spoil('ORDER-1-4', how);
      const subject = { packageId: 1, orderId: 'ORDER-1-4' };
      const others = [1, 2, 3, 5];
      const numbers = (found: readonly Order[]) => found.map(({ number }) => number).sort();

      const looked = orders.map(({ id }) => store.order(id).catch((error: unknown) => error));
      expect(await Promise.all(looked)).toEqual([...orders.slice(0, 3), refusal(subject), orders[4]]);
      expect(store.unreadable()).toEqual([unreadable(subject)]);
      expect(numbers(await store.orders(orders.map(({ id }) => id)))).toEqual(others);
      // Its key is not free.
      const keyed = orders.map(({ key = '' }) =>
        store.ordersByKey(1, [key]).catch((error: unknown) => error),
      );
      expect(await Promise.all(keyed)).toEqual([
        ...orders.slice(0, 3).map((order) => [order]),
        refusal(subject),
        [orders[4]],
      ]);
      await expect(store.versionedPackage(1, { ids: ['ORDER-1-4'] })).rejects.toEqual(refusal(subject));
      await expect(store.versionedPackage(1, { statuses: ['queued'], max: 9 })).rejects.toEqual(
        refusal(subject),
      );
      expect((await store.versionedPackage(1, { ids: ['ORDER-1-5'] }))?.orders).toEqual([orders[4]]);
      // A short page would look like the last one.
      expect((await store.ordersBelow(1, undefined, 2)).map(({ number }) => number)).toEqual([5, 3]);
      expect((await store.ordersBelow(1, 3, 2)).map(({ number }) => number)).toEqual([2, 1]);
      const pages: unknown[] = [];
      let cursor: string | undefined;
      do {
        const page = await store.ordersPage(1, cursor, 2);
        pages.push([numbers(page.items), page.unreadable?.length ?? 0]);
        cursor = page.next;
      } while (cursor !== undefined);
      expect(pages).toEqual([
        [[1, 2], 0],
        [[3], 1],
        [[5], 0],
      ]);
      const emailed: number[] = [];
      do {
        const page = await store.ordersByEmail('a@example.com', cursor, 2);
        emailed.push(...page.items.map(({ number }) => number));
        cursor = page.next;
      } while (cursor !== undefined);
      expect(emailed).toEqual([5, 3, 2, 1]);
    });

    test('Q12 a package with an unreadable unfinished order has no new owner, and loses nothing', async () => {
      await insert(sampleOrder(1), sampleOrder(2, { status: 'held' }), sampleOrder(3));
      await insert(sampleOrder(1, { packageId: 2 }));
      await opened.spoil('ORDER-1-2', how);
      await expect(store.takeOwnership(1, 'one')).rejects.toEqual(
        refusal({ packageId: 1, orderId: 'ORDER-1-2' }),
      );
      expect(await store.packagesWithUnfinished()).toEqual([1, 2]);
      expect((await store.takeOwnership(2, 'one'))?.unfinished).toHaveLength(1);
    });

    test('Q12 packages that are taken over at once do not suffer from one that cannot be read', async () => {
      await insert(sampleOrder(1));
      await insert(sampleOrder(1, { packageId: 2 }));
      await insert(sampleOrder(1, { packageId: 3 }));
      await opened.spoil(1, how);
      await opened.spoil('ORDER-2-1', how);
      const taken = [1, 2, 3].map((id) =>
        store.takeOwnership(id, 'one').then(
          (ownership) => ownership?.unfinished.length,
          (error: unknown) => error,
        ),
      );
      const order = { packageId: 2, orderId: 'ORDER-2-1' };
      expect(await Promise.all(taken)).toEqual([refusal({ packageId: 1 }), refusal(order), 1]);
      expect(await store.ownersOf([1])).toEqual([{ packageId: 1, epoch: 0 }]);
    });

    test('Q12 an unreadable order that has ended does not matter to a takeover', async () => {
      await insert(sampleOrder(1, { status: 'failed' }), sampleOrder(2));
      await opened.spoil('ORDER-1-1', how);
      expect((await store.takeOwnership(1, 'one'))?.unfinished).toHaveLength(1);
    });
  });

  test(`Q12 what can be read again is served again: ${name}`, async () => {
    const opened = await open();
    const { store } = opened;
    await store.addPackages([samplePackage({ id: 1 })]);
    const { fence } = (await store.versionedPackage(1))!;
    const inventory = sampleInventory({ nextNumber: 2 });
    await store.commit(1, fence, sampleChange({ inventory, inserted: [sampleOrder(1)] }));
    for (const id of [1, 'ORDER-1-1']) await opened.spoil(id, newerVersion);
    await expect(store.package(1)).rejects.toThrow('newer release');
    await expect(store.order('ORDER-1-1')).rejects.toThrow('newer release');
    expect(store.unreadable()).toHaveLength(2);
    for (const id of [1, 'ORDER-1-1']) await opened.spoil(id, 1);
    expect(await store.package(1)).toBeDefined();
    expect(await store.order('ORDER-1-1')).toBeDefined();
    expect(store.unreadable()).toEqual([]);
    expect((await store.takeOwnership(1, 'one'))?.unfinished).toHaveLength(1);
    await opened.close();
  });
}
