import { expect, it } from 'vitest';
import { sampleChange, sampleInventory, sampleOrder, samplePackage } from '../../test/contract/samples.ts';
import type { Order } from '../domain/order.ts';
import { openSqliteStore, type SqliteStore } from '../storage/sqlite/sqlite-store.ts';
import { StoreUnavailableError, UnreadableError } from '../storage/store.ts';
import { type OrderPagesStore, orderPages } from './order-pages.ts';

/** A store with these packages, each with orders of the numbers 1 to the given count. */
async function storeWith(counts: Readonly<Record<number, number>>): Promise<SqliteStore> {
  const store = openSqliteStore({ file: ':memory:' });
  await store.addPackages(Object.keys(counts).map((id) => samplePackage({ id: Number(id) })));
  for (const [id, count] of Object.entries(counts)) await add(store, Number(id), 1, count);
  return store;
}

async function add(store: SqliteStore, packageId: number, first: number, last: number): Promise<void> {
  const { fence } = (await store.versionedPackage(packageId))!;
  const numbers = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  const inserted = numbers.map((number) => sampleOrder(number, { packageId }));
  const inventory = sampleInventory({ waiting: last, nextNumber: last + 1 });
  await store.commit(packageId, fence, sampleChange({ inventory, inserted }));
}

async function pagesOf(store: OrderPagesStore, pageSize: number, packageId?: number): Promise<string[][]> {
  const pages: string[][] = [];
  const nameOf = ({ packageId: id, number }: Order) => `${id}.${number}`;
  for await (const { items } of orderPages(store, { pageSize, packageId })) pages.push(items.map(nameOf));
  return pages;
}

it('has each order once, by package and number, in pages of a limited size', async () => {
  const store = await storeWith({ 1: 3, 2: 0, 7: 2 });
  expect(await pagesOf(store, 2)).toEqual([['1.1', '1.2'], ['1.3'], ['7.1', '7.2'], []]);
  expect((await pagesOf(store, 50)).flat()).toEqual(['1.1', '1.2', '1.3', '7.1', '7.2']);
  expect(await pagesOf(store, 50, 7)).toEqual([['7.1', '7.2']]);
  expect((await pagesOf(store, 50, 99)).flat()).toEqual([]);
});

it('leaves out orders that are made after their package was reached', async () => {
  const store = await storeWith({ 1: 3, 2: 1 });
  const seen: number[] = [];
  for await (const { items } of orderPages(store, { pageSize: 2 })) {
    if (seen.length === 0) {
      await add(store, 1, 4, 9);
      await add(store, 2, 2, 3);
    }
    seen.push(...items.map(({ packageId, number }) => 10 * packageId + number));
  }
  expect(seen).toEqual([11, 12, 13, 21, 22, 23]);
});

it('has the orders of a package that cannot be read, and names orders that cannot be read', async () => {
  const store = await storeWith({ 1: 2 });
  const spoilt = new UnreadableError({ packageId: 1, orderId: 'ORDER-1-2' });
  const pages = orderPages(
    {
      packageWithOrdersAbove: (id) => store.packageWithOrdersAbove(id),
      package: () => Promise.reject(new UnreadableError({ packageId: 1 })),
      async ordersPage(id, cursor, limit) {
        const { items, ...rest } = await store.ordersPage(id, cursor, limit);
        return { ...rest, items: items.slice(0, 1), unreadable: [spoilt] };
      },
    },
    { pageSize: 50 },
  );
  expect((await pages.next()).value).toMatchObject({ items: [{ number: 1 }], unreadable: [spoilt] });
  expect((await pages.next()).done).toBe(true);
});

it('fails if the store is away', async () => {
  const store = await storeWith({ 1: 1 });
  const away = () => Promise.reject(new StoreUnavailableError('away'));
  const pages = orderPages(
    {
      packageWithOrdersAbove: (id) => store.packageWithOrdersAbove(id),
      package: away,
      ordersPage: away,
    },
    { pageSize: 50 },
  );
  await expect(pages.next()).rejects.toBeInstanceOf(StoreUnavailableError);
});
