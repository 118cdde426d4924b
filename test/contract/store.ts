import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Fence, Ownership } from '../../src/domain/messages.ts';
import { type Order, type OrderStatus, orderStatuses, unfinishedStatuses } from '../../src/domain/order.ts';
import { fullInventory } from '../../src/domain/travel-package.ts';
import { FencedError, type Store, StoreUnavailableError } from '../../src/storage/store.ts';
import { allPackages } from '../support/all-packages.ts';
import type { OpenedStore } from './operator-store.ts';
import { operatorStoreContract } from './operator-store.ts';
import { sampleChange, sampleInventory, sampleOrder, samplePackage } from './samples.ts';
import { unreadableDocumentsContract } from './unreadable-documents.ts';

/** Keys that are unusual as text, property name, pattern or in length. */
const strangeKeys = [
  '__proto__',
  'constructor',
  '',
  ' ',
  '%',
  "'; DROP TABLE orders; --",
  '$where',
  'a.b',
  'ключ-🗝️',
  'é',
  'e\u0301',
  'KEY-1',
  'k'.repeat(255),
];

/** The contract of `Store`, run on each implementation. */
export function storeContract(name: string, open: () => Promise<OpenedStore>): void {
  operatorStoreContract(name, open);
  unreadableDocumentsContract(name, open);
  describe(`store contract: ${name}`, () => {
    let opened: OpenedStore;
    let store: Store;

    beforeEach(async () => {
      opened = await open();
      store = opened.store;
      await store.addPackages([samplePackage({ id: 1 }), samplePackage({ id: 2, quota: 2 })]);
    });
    afterEach(() => opened.close());

    async function own(packageId = 1, instance = 'one'): Promise<Ownership> {
      const ownership = await store.takeOwnership(packageId, instance);
      if (!ownership) throw new Error(`package ${packageId} is not there`);
      return ownership;
    }

    /** Commits orders as a fresh owner. */
    async function insert(...inserted: Order[]): Promise<Fence> {
      const { fence, inventory } = await own(inserted[0]?.packageId);
      const nextNumber = Math.max(inventory.nextNumber, ...inserted.map((order) => order.number + 1));
      await store.commit(inserted[0]?.packageId ?? 1, fence, {
        inventory: { ...inventory, nextNumber },
        inserted,
        updated: [],
      });
      return next(fence);
    }

    describe('packages', () => {
      test('are listed by id, and their full quota remains', async () => {
        await store.addPackages([samplePackage({ id: 30 }), samplePackage({ id: 4 })]);
        const listed = await allPackages(store);
        expect(listed.map((each) => each.package.id)).toEqual([1, 2, 4, 30]);
        expect(listed[1]).toEqual({
          package: samplePackage({ id: 2, quota: 2 }),
          inventory: fullInventory(2),
        });
      });

      test('that already exist are left unchanged', async () => {
        const { fence } = await own();
        await store.commit(1, fence, sampleChange({ inventory: sampleInventory({ remaining: 4, held: 1 }) }));
        expect(await store.addPackages([samplePackage({ quota: 99 }), samplePackage({ id: 3 })])).toEqual([
          3,
        ]);
        expect(await store.package(1)).toMatchObject({ package: { quota: 5 }, inventory: { remaining: 4 } });
        expect(await store.addPackages([])).toEqual([]);
      });

      test('are added once by concurrent callers', async () => {
        const added = await Promise.all(
          Array.from({ length: 10 }, () => store.addPackages([samplePackage({ id: 9 })])),
        );
        expect(added.flat()).toEqual([9]);
      });

      test('keep optional fields exactly and add none', async () => {
        const sale = { opensAt: 0, closesAt: 1_893_456_000_001, paused: false };
        const full = samplePackage({ id: 5, ...sale, listed: false, archived: true });
        await store.addPackages([full]);
        expect((await store.package(5))?.package).toStrictEqual(full);
        expect((await store.package(1))?.package).toStrictEqual(samplePackage());
      });

      test('an unknown package is undefined', async () => {
        expect(await store.package(404)).toBeUndefined();
        expect(await store.takeOwnership(404, 'one')).toBeUndefined();
      });

      test('a commit can replace the package', async () => {
        const { fence } = await own();
        const changed = samplePackage({ quota: 7, version: 2, paused: true, listed: false, archived: true });
        await store.commit(
          1,
          fence,
          sampleChange({ package: changed, inventory: sampleInventory({ remaining: 7 }) }),
        );
        expect(await store.package(1)).toStrictEqual({
          package: changed,
          inventory: sampleInventory({ remaining: 7 }),
        });
        await store.commit(1, next(fence), sampleChange({ package: samplePackage({ version: 3 }) }));
        expect((await store.package(1))?.package).toStrictEqual(samplePackage({ version: 3 }));
      });
    });

    describe('ownership', () => {
      test('Q9 every takeover gets a greater epoch, also when takeovers are concurrent', async () => {
        const taken = await Promise.all(Array.from({ length: 8 }, (_, each) => own(1, `instance-${each}`)));
        const epochs = taken.map(({ fence }) => fence.epoch);
        expect(new Set(epochs).size).toBe(8);
        const { fence } = await own();
        expect(fence.epoch).toBeGreaterThan(Math.max(...epochs));
      });

      test('returns the name of the last owner', async () => {
        expect(await store.owner(1)).toBeUndefined();
        await own(1, 'first');
        await own(1, 'second');
        expect(await store.owner(1)).toBe('second');
        expect([await store.owner(2), await store.owner(404)]).toEqual([undefined, undefined]);
      });

      test('Q9 only the last of concurrent owners can commit', async () => {
        const taken = await Promise.all(Array.from({ length: 4 }, () => own()));
        const outcomes = await Promise.allSettled(
          taken.map(({ fence }, each) =>
            store.commit(1, fence, sampleChange({ inserted: [sampleOrder(each + 1)] })),
          ),
        );
        expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
        for (const outcome of outcomes) {
          if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(FencedError);
        }
      });

      test('is independent for each package', async () => {
        const { fence } = await own(1);
        await own(2, 'two');
        await store.commit(1, fence, sampleChange());
      });

      test('Q6 a takeover returns exactly the unfinished orders, by number', async () => {
        const orders = orderStatuses.flatMap((status, index) => [
          sampleOrder(index + 1, { status }),
          sampleOrder(index + 11, { status }),
        ]);
        await insert(...orders.toReversed());
        await insert(sampleOrder(1, { packageId: 2, status: 'held' }));
        const { unfinished, inventory } = await own();
        const expected = orders.filter((order) => unfinishedStatuses.includes(order.status));
        expect(unfinished).toStrictEqual(expected.sort((one, other) => one.number - other.number));
        expect(inventory.nextNumber).toBe(21);
      });

      test('Q6 Q9 packages that are taken over at once have their own epochs and orders', async () => {
        const held = (packageId: number) =>
          [1, 2].map((each) => sampleOrder(each, { packageId, status: 'held' }));
        await insert(...held(1));
        await insert(...held(2));
        const taken = await Promise.all([1, 2, 404, 1].map((id) => store.takeOwnership(id, 'new')));
        expect(taken.map((each) => each?.unfinished)).toStrictEqual([held(1), held(2), undefined, held(1)]);
        const [former, last] = [taken[0]?.fence, taken[3]?.fence].sort((a, b) => a!.epoch - b!.epoch);
        await fenced(store.commit(1, former!, sampleChange()));
        await store.commit(1, last!, sampleChange());
        await store.commit(2, taken[1]!.fence, sampleChange());
      });

      test('Q6 lists the packages with unfinished orders', async () => {
        expect(await store.packagesWithUnfinished()).toEqual([]);
        await insert(sampleOrder(1, { status: 'confirmed' }), sampleOrder(2, { status: 'rejected' }));
        expect(await store.packagesWithUnfinished()).toEqual([]);
        const held = sampleOrder(1, { packageId: 2, status: 'held' });
        const fence = await insert(held);
        await insert(sampleOrder(3, { status: 'cancelling' }));
        expect(await store.packagesWithUnfinished()).toEqual([1, 2]);
        await store.commit(2, fence, sampleChange({ updated: [{ ...held, status: 'failed' }] }));
        expect(await store.packagesWithUnfinished()).toEqual([1]);
      });
    });

    describe('commit', () => {
      test('writes inventory, new and changed orders together', async () => {
        const { fence } = await own();
        const first = sampleOrder(1);
        await store.commit(1, fence, sampleChange({ inserted: [first, sampleOrder(2)] }));
        const held: Order = {
          ...first,
          status: 'held',
          timeline: [...first.timeline, { at: 5, event: 'claimed' }],
        };
        const inventory = sampleInventory({ remaining: 3, held: 1, confirmed: 1, waiting: 7, nextNumber: 4 });
        await store.commit(1, next(fence), { inventory, inserted: [sampleOrder(3)], updated: [held] });
        expect((await store.package(1))?.inventory).toStrictEqual(inventory);
        expect(await store.order(first.id)).toStrictEqual(held);
        expect(await store.order('ORDER-1-3')).toStrictEqual(sampleOrder(3));
      });

      test('Q9 a commit of an older epoch is fenced and changes nothing', async () => {
        const { fence } = await own(1, 'old');
        await own(1, 'new');
        await fenced(store.commit(1, fence, sampleChange({ inserted: [sampleOrder(1)] })));
        expect(await store.order('ORDER-1-1')).toBeUndefined();
        expect((await store.package(1))?.inventory.nextNumber).toBe(1);
      });

      test('Q9 a commit with a used, skipped or future seq is fenced', async () => {
        const { fence } = await own();
        await store.commit(1, fence, sampleChange());
        await fenced(store.commit(1, fence, sampleChange()));
        await fenced(store.commit(1, next(next(fence)), sampleChange()));
        await fenced(store.commit(1, { epoch: fence.epoch + 1, seq: fence.seq + 1 }, sampleChange()));
        await store.commit(1, next(fence), sampleChange());
      });

      test('Q9 raises seq also when the inventory does not change', async () => {
        const { fence, inventory } = await own();
        await store.commit(1, fence, { inventory, inserted: [], updated: [] });
        await fenced(store.commit(1, fence, { inventory, inserted: [], updated: [] }));
        expect((await own()).fence.seq).toBe(fence.seq + 1);
      });

      test('Q9 exactly one of concurrent commits with the same fence applies', async () => {
        const { fence } = await own();
        const outcomes = await Promise.allSettled(
          Array.from({ length: 10 }, (_, each) =>
            store.commit(1, fence, sampleChange({ inserted: [sampleOrder(each + 1)] })),
          ),
        );
        expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
        expect((await store.ordersPage(1, undefined, 100)).items).toHaveLength(1);
      });

      test('applies nothing when an order id is taken', async () => {
        const fence = await insert(sampleOrder(1));
        const change = sampleChange({
          inventory: sampleInventory({ remaining: 0, held: 5 }),
          inserted: [sampleOrder(2), { ...sampleOrder(3), id: 'ORDER-1-1' }],
          updated: [{ ...sampleOrder(1), status: 'held' }],
        });
        await refused(store.commit(1, fence, change));
        expect(await store.order('ORDER-1-2')).toBeUndefined();
        expect(await store.order('ORDER-1-1')).toStrictEqual(sampleOrder(1));
        expect((await store.package(1))?.inventory.held).toBe(0);
        await store.commit(1, fence, sampleChange({ inserted: [sampleOrder(2)] }));
      });

      test('Q7 applies nothing when a key is taken or repeated in the commit', async () => {
        const fence = await insert(sampleOrder(1, { key: 'same' }));
        await refused(
          store.commit(
            1,
            fence,
            sampleChange({ inserted: [sampleOrder(2), sampleOrder(3, { key: 'same' })] }),
          ),
        );
        const twice = [sampleOrder(2, { key: 'new' }), sampleOrder(3, { key: 'new' })];
        await refused(store.commit(1, fence, sampleChange({ inserted: twice })));
        expect((await store.ordersPage(1, undefined, 100)).items).toHaveLength(1);
      });

      test('Q5 applies nothing when an order number is taken', async () => {
        const fence = await insert(sampleOrder(1));
        const second = sampleOrder(2, { number: 1 });
        await refused(store.commit(1, fence, sampleChange({ inserted: [second] })));
        expect(await store.order(second.id)).toBeUndefined();
      });

      test('applies nothing when an order to update does not exist', async () => {
        const { fence } = await own();
        const change = sampleChange({
          inventory: sampleInventory({ nextNumber: 9 }),
          inserted: [sampleOrder(1)],
          updated: [sampleOrder(2)],
        });
        await refused(store.commit(1, fence, change));
        expect(await store.order('ORDER-1-1')).toBeUndefined();
        expect((await store.package(1))?.inventory.nextNumber).toBe(1);
      });

      test('Q7 keys are unique within a package, and orders without a key never conflict', async () => {
        const { key: _one, ...keyless } = sampleOrder(1);
        const { key: _two, ...another } = sampleOrder(2);
        await insert(keyless, another, sampleOrder(3, { key: 'shared' }));
        await insert(sampleOrder(1, { packageId: 2, key: 'shared' }));
        expect(await store.order(keyless.id)).toStrictEqual(keyless);
      });

      test('a failing commit does not affect concurrent commits', async () => {
        const fence = await insert(sampleOrder(1));
        const { fence: other } = await own(2);
        const outcomes = await Promise.allSettled([
          store.commit(2, other, sampleChange({ inserted: [sampleOrder(1, { packageId: 2 })] })),
          store.commit(1, fence, sampleChange({ inserted: [sampleOrder(1)] })),
          store.commit(1, fence, sampleChange({ inserted: [sampleOrder(2)] })),
          store.addPackages([samplePackage({ id: 3 })]),
        ]);
        expect(outcomes.map(({ status }) => status)).toEqual([
          'fulfilled',
          'rejected',
          'fulfilled',
          'fulfilled',
        ]);
        expect(await store.order('ORDER-1-2')).toBeDefined();
        expect(await store.order('ORDER-2-1')).toBeDefined();
      });

      test('accepts a large batch', async () => {
        const { fence } = await own();
        const inserted = Array.from({ length: 3000 }, (_, each) => sampleOrder(each + 1));
        await store.commit(1, fence, sampleChange({ inserted }));
        expect((await own()).unfinished).toHaveLength(3000);
      });
    });

    describe('a versioned package', () => {
      test('is the package with the fence that its next commit needs', async () => {
        expect(await store.versionedPackage(404)).toBeUndefined();
        const before = await store.versionedPackage(1);
        expect(before).toMatchObject({ package: samplePackage(), inventory: sampleInventory(), orders: [] });
        await store.commit(1, before!.fence, sampleChange({ inserted: [sampleOrder(1)] }));
        const { fence } = await own();
        expect((await store.versionedPackage(1))?.fence).toEqual(fence);
      });

      test('Q3 one of several concurrent commits after the same read applies, and the others are fenced', async () => {
        const presents = await Promise.all(Array.from({ length: 5 }, () => store.versionedPackage(1)));
        const outcomes = await Promise.allSettled(
          presents.map((present, each) =>
            store.commit(1, present!.fence, sampleChange({ inserted: [sampleOrder(each + 1)] })),
          ),
        );
        expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
        const stale = await store.versionedPackage(1);
        await own();
        await fenced(store.commit(1, stale!.fence, sampleChange()));
      });

      test('returns orders by id, of this package only', async () => {
        await insert(sampleOrder(1), sampleOrder(2, { status: 'failed' }), sampleOrder(3));
        await insert(sampleOrder(1, { packageId: 2 }));
        const ids = ['ORDER-1-2', 'ORDER-1-1', 'ORDER-1-1', 'ORDER-2-1', 'nobody'];
        expect((await store.versionedPackage(1, { ids }))?.orders).toStrictEqual([
          sampleOrder(1),
          sampleOrder(2, { status: 'failed' }),
        ]);
        expect((await store.versionedPackage(1, { ids: [] }))?.orders).toEqual([]);
      });

      test('Q5 returns the first unfinished orders of the given statuses by number', async () => {
        const statuses: OrderStatus[] = ['held', 'queued', 'cancelling', 'confirmed', 'queued', 'queued'];
        const orders = statuses.map((status, index) => sampleOrder(index + 1, { status }));
        await insert(...orders.toReversed());
        await insert(sampleOrder(1, { packageId: 2 }));
        const numbers = async (max: number, ...wanted: OrderStatus[]) =>
          (await store.versionedPackage(1, { statuses: wanted, max }))?.orders.map(({ number }) => number);
        expect(await numbers(2, 'queued')).toEqual([2, 5]);
        const later = await store.versionedPackage(1, { statuses: ['queued'], max: 2, above: 2 });
        expect(later?.orders.map(({ number }) => number)).toEqual([5, 6]);
        expect(await numbers(10, 'queued', 'held')).toEqual([1, 2, 5, 6]);
        expect(await numbers(10, 'compensating', 'cancelling')).toEqual([3]);
        expect(await numbers(10)).toEqual([]);
      });
    });

    describe('orders', () => {
      const full: Required<Order> = {
        ...sampleOrder(2),
        ...{ key: 'key-2', language: 'de' },
        status: 'failed',
        reason: 'hotel_unavailable',
        flight: { ticketNumber: 'F-1 "quoted" ✈' },
        hotel: { reservationNumber: '' },
        payment: { amount: 100, currency: 'EUR', provider: 'p', url: 'https://p.example/?a="1"', payBy: 3 },
        timeline: [
          { at: 1, event: 'claimed' },
          { at: 1, event: 'flight reserved', detail: 'F-1' },
          { at: 0, event: 'failed', detail: '' },
        ],
      };

      test('keep optional fields exactly and add none', async () => {
        const { key: _, ...bare } = sampleOrder(1, { status: 'confirmed', timeline: [] });
        await insert(bare, full);
        expect(await store.order(bare.id)).toStrictEqual(bare);
        expect(await store.order(full.id)).toStrictEqual(full);
      });

      test('Q11 keep the payment, and get its provider, its address and its time when it is due', async () => {
        const payment = { amount: 10_000, currency: 'EUR' };
        const held = sampleOrder(1, { status: 'held', payment });
        const fence = await insert(held);
        expect(await store.order(held.id)).toStrictEqual(held);
        const due = { ...payment, provider: 'simulated', url: 'https://pay.example/1', payBy: 3 };
        const payable = { ...held, status: 'payable', payment: due } as const;
        await store.commit(1, fence, sampleChange({ updated: [payable] }));
        expect(await store.order(held.id)).toStrictEqual(payable);
        expect((await store.takeOwnership(1, 'b'))?.unfinished).toStrictEqual([payable]);
      });

      test('Q10 an unknown id returns nothing', async () => {
        await insert(sampleOrder(1));
        for (const id of ['', 'ORDER-1-2', 'order-1-1', '%', '__proto__']) {
          expect(await store.order(id)).toBeUndefined();
        }
      });

      test('are found by several ids, each once, without unknown ids', async () => {
        await insert(sampleOrder(1), sampleOrder(2), sampleOrder(3));
        const found = await store.orders(['ORDER-1-3', 'nobody', 'ORDER-1-1', 'ORDER-1-3', '__proto__']);
        expect(found).toHaveLength(2);
        expect(new Set(found.map(({ number }) => number))).toEqual(new Set([1, 3]));
        expect(await store.orders([])).toEqual([]);
      });

      test('Q7 are found by any key within their package', async () => {
        await insert(...strangeKeys.map((key, index) => sampleOrder(index + 1, { key })));
        for (const [index, key] of strangeKeys.entries()) {
          const found = await store.ordersByKey(1, [key]);
          expect(found, key).toStrictEqual([sampleOrder(index + 1, { key })]);
        }
        expect(await store.ordersByKey(1, strangeKeys)).toHaveLength(strangeKeys.length);
        expect(await store.ordersByKey(1, ['toString', 'key-1', 'K'.repeat(255)])).toEqual([]);
        expect(await store.ordersByKey(1, [strangeKeys[0]!, strangeKeys[0]!])).toHaveLength(1);
        expect(await store.ordersByKey(2, strangeKeys)).toEqual([]);
        expect(await store.ordersByKey(1, [])).toEqual([]);
      });

      test('counts live orders per email', async () => {
        const email = '__proto__@example.com';
        await insert(
          ...orderStatuses.map((status, index) => sampleOrder(index + 1, { status, email })),
          sampleOrder(20, { status: 'failed', email: 'none@example.com' }),
          sampleOrder(21, { status: 'held', email: 'one@example.com' }),
        );
        await insert(sampleOrder(1, { packageId: 2, status: 'held', email }));
        const asked = [email, 'none@example.com', 'one@example.com', 'one@example.com', 'nobody@example.com'];
        expect(await store.liveOrdersByEmail(1, asked)).toEqual(
          new Map([
            [email, 6],
            ['one@example.com', 1],
          ]),
        );
        expect(await store.liveOrdersByEmail(1, [])).toEqual(new Map());
      });
    });

    describe('pages of orders', () => {
      async function walk(limit: number): Promise<number[]> {
        const numbers: number[] = [];
        let cursor: string | undefined;
        do {
          const page = await store.ordersPage(1, cursor, limit);
          expect(page.items.length).toBeLessThanOrEqual(limit);
          numbers.push(...page.items.map(({ number }) => number));
          cursor = page.next;
        } while (cursor !== undefined);
        return numbers;
      }

      test('list every order once, by number, for every page size', async () => {
        const orders = Array.from({ length: 12 }, (_, each) => sampleOrder(each + 1));
        await insert(...orders.toReversed());
        await insert(sampleOrder(1, { packageId: 2 }));
        const all = orders.map(({ number }) => number);
        for (const limit of [1, 5, 6, 12, 13]) expect(await walk(limit), `limit ${limit}`).toEqual(all);
      });

      test('a package without orders has one empty page', async () => {
        expect(await store.ordersPage(1, undefined, 10)).toEqual({ items: [] });
        expect(await store.ordersPage(404, undefined, 10)).toEqual({ items: [] });
      });

      test('include orders that were added after the cursor', async () => {
        await insert(sampleOrder(1), sampleOrder(2));
        const first = await store.ordersPage(1, undefined, 1);
        await insert(sampleOrder(3));
        const rest = await store.ordersPage(1, first.next, 10);
        expect(rest.items.map(({ number }) => number)).toEqual([2, 3]);
      });
    });

    describe('settings', () => {
      test('concurrent callers all get the same value', async () => {
        let made = 0;
        const values = await Promise.all(
          Array.from({ length: 10 }, () => store.setting('secret', () => `value-${++made}`)),
        );
        expect(new Set(values).size).toBe(1);
        expect(await store.setting('secret', () => 'late')).toBe(values[0]);
      });

      test('are separate by name, and may be empty', async () => {
        expect(await store.setting('__proto__', () => '')).toBe('');
        expect(await store.setting('__proto__', () => 'other')).toBe('');
        expect(await store.setting('b', () => 'own')).toBe('own');
      });
    });

    describe('a snapshot, if the store has them,', () => {
      test('stays the same while commits go on', async () => {
        const fence = await insert(sampleOrder(1));
        const snapshot = await store.snapshot?.();
        if (!snapshot) return;
        const before = await snapshot.package(1);
        await store.commit(1, fence, sampleChange({ inserted: [sampleOrder(2)] }));
        expect(await snapshot.package(1)).toStrictEqual(before);
        expect((await snapshot.ordersPage(1, undefined, 10)).items).toHaveLength(1);
        expect(await snapshot.ordersByKey(1, ['key-2'])).toEqual([]);
        await snapshot.close();
        expect((await store.ordersPage(1, undefined, 10)).items).toHaveLength(2);
      });
    });

    describe('clearing', () => {
      test('deletes packages and orders and keeps settings', async () => {
        const { clear } = store;
        if (!clear) return;
        await insert(sampleOrder(1));
        await store.setting('secret', () => 'kept');
        await clear.call(store);
        expect(await allPackages(store)).toEqual([]);
        expect(await store.order('ORDER-1-1')).toBeUndefined();
        expect(await store.setting('secret', () => 'new')).toBe('kept');
        expect(await store.addPackages([samplePackage()])).toEqual([1]);
        expect((await store.ordersPage(1, undefined, 10)).items).toEqual([]);
      });
    });

    test('Q6 acknowledged orders survive a reopen', async () => {
      if (!opened.reopen) return;
      const fence = await insert(sampleOrder(1));
      const inventory = sampleInventory({ remaining: 4, held: 1, nextNumber: 3 });
      await store.commit(1, fence, { inventory, inserted: [sampleOrder(2)], updated: [] });
      await store.setting('secret', () => 'kept');
      store = await opened.reopen();
      expect(await store.package(1)).toStrictEqual({ package: samplePackage(), inventory });
      expect(await store.ordersByKey(1, ['key-2'])).toStrictEqual([sampleOrder(2)]);
      expect(await store.setting('secret', () => 'new')).toBe('kept');
      await store.commit(1, next(fence), sampleChange());
      expect((await own()).fence).toEqual({ epoch: fence.epoch + 1, seq: fence.seq + 2 });
    });

    test('a probe writes nothing visible, and probes may run concurrently', async () => {
      const before = await own();
      await Promise.all(Array.from({ length: 20 }, () => store.probe()));
      expect(await store.package(1)).toStrictEqual({ package: before.package, inventory: before.inventory });
      await store.commit(1, before.fence, sampleChange());
      await store.probe();
    });

    test('ping answers while the store is open; after close, every method says that the store is unavailable', async () => {
      await store.ping();
      const { fence } = await own();
      await store.close();
      for (const call of [
        () => store.ping(),
        () => store.probe(),
        () => allPackages(store),
        () => store.order('ORDER-1-1'),
        () => store.takeOwnership(1, 'one'),
        () => store.commit(1, fence, sampleChange()),
      ]) {
        await expect(call()).rejects.toBeInstanceOf(StoreUnavailableError);
      }
    });
  });
}

function next({ epoch, seq }: Fence): Fence {
  return { epoch, seq: seq + 1 };
}

async function fenced(commit: Promise<void>): Promise<void> {
  await expect(commit).rejects.toBeInstanceOf(FencedError);
}

/** Expects a permanent error, which is neither fenced nor unavailable nor unknown. */
async function refused(commit: Promise<void>): Promise<void> {
  const error: unknown = await commit.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Error);
  expect((error as Error).name).not.toMatch(/Fenced|Unavailable|Unknown/);
}
