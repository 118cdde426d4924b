import { beforeEach, expect, test, vi } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { onSale } from '../../test/support/server.ts';
import { fullInventory, type PackageSnapshot } from '../domain/travel-package.ts';
import type { Page } from '../lib/page.ts';
import { localLiveBus } from '../realtime/live-bus.ts';
import { StoreUnavailableError, UnreadableError } from '../storage/store.ts';
import { PackageCache } from './live-caches.ts';

const snapshot = (id: number, waiting = 0): PackageSnapshot => ({
  package: onSale({ id }),
  inventory: { ...fullInventory(1), waiting },
});

let clock: ManualClock;
const liveBus = localLiveBus();
const store = {
  packagesPage: vi.fn(async (): Promise<Page<PackageSnapshot>> => ({ items: [snapshot(1), snapshot(2)] })),
  package: vi.fn(async (id: number) => (id === 404 ? undefined : snapshot(id))),
  unreadable: vi.fn((): UnreadableError[] => []),
};

async function all(cache: PackageCache): Promise<readonly PackageSnapshot[]> {
  return (await cache.page({ group: 'all', limit: 1_000 })).items;
}

beforeEach(() => {
  clock = new ManualClock();
  store.packagesPage.mockClear();
  store.package.mockClear();
});

test('the cache returns packages sorted by id, and concurrent calls share one read', async () => {
  const catalogue = new PackageCache({ store, liveBus, clock, maxAgeMs: 250 });
  const [found] = await Promise.all([all(catalogue), all(catalogue)]);
  expect(found.map((each) => each.package.id)).toEqual([1, 2]);
  await Promise.all([catalogue.get(1), catalogue.get(2)]);
  expect([store.packagesPage.mock.calls.length, store.package.mock.calls.length]).toEqual([1, 0]);
  catalogue.close();
});

test('the cache reads a snapshot again if it is too old, unless the live bus has updated the snapshot', async () => {
  const catalogue = new PackageCache({ store, liveBus, clock, maxAgeMs: 250 });
  await all(catalogue);
  await clock.advance(251);
  await Promise.all([catalogue.get(1), catalogue.get(1)]);
  expect(store.package).toHaveBeenCalledTimes(1);
  liveBus.publishPackage(snapshot(2, 5));
  expect((await catalogue.get(2))?.inventory.waiting).toBe(5);
  expect(store.package).toHaveBeenCalledTimes(1);
  catalogue.close();
});

test('the cache reads a snapshot again when it is too old, also if the time was set back', async () => {
  const catalogue = new PackageCache({ store, liveBus, clock, maxAgeMs: 250 });
  await all(catalogue);
  clock.jump(-3_600_000);
  await clock.advance(251);
  await catalogue.get(1);
  expect(store.package).toHaveBeenCalledTimes(1);
  catalogue.close();
});

test('the cache forgets a removed package even if the live update of its removal is lost', async () => {
  const catalogue = new PackageCache({ store, liveBus, clock, maxAgeMs: 250 });
  await all(catalogue);
  liveBus.publishRemoved(1);
  expect([catalogue.peek(1), (await all(catalogue)).map((each) => each.package.id)]).toEqual([
    undefined,
    [2],
  ]);
  store.packagesPage.mockResolvedValueOnce({ items: [snapshot(3)] });
  await clock.advance(251);
  expect((await all(catalogue)).map((each) => each.package.id)).toEqual([3]);
  catalogue.close();
});

test('the cache prefers a live update that arrives during a read', async () => {
  const catalogue = new PackageCache({ store, liveBus, clock, maxAgeMs: 250 });
  const read = Promise.withResolvers<PackageSnapshot>();
  store.package.mockReturnValueOnce(read.promise);
  const asked = catalogue.get(1);
  liveBus.publishPackage(snapshot(1, 9));
  read.resolve(snapshot(1, 0));
  expect((await asked)?.inventory.waiting).toBe(9);
  catalogue.close();
});

test('the cache does not restore a package that is removed during a read', async () => {
  const catalogue = new PackageCache({ store, liveBus, clock, maxAgeMs: Number.POSITIVE_INFINITY });
  const read = Promise.withResolvers<Page<PackageSnapshot>>();
  store.packagesPage.mockReturnValueOnce(read.promise);
  const asked = all(catalogue);
  liveBus.publishRemoved(1);
  read.resolve({ items: [snapshot(1), snapshot(2)] });
  expect((await asked).map((each) => each.package.id)).toEqual([2]);
  expect([catalogue.peek(1), await catalogue.get(1)]).toEqual([undefined, undefined]);
  liveBus.publishPackage(snapshot(1, 3));
  expect((await catalogue.get(1))?.inventory.waiting).toBe(3);
  catalogue.close();
});

test('the cache tells listeners of new, changed and removed packages, from the live bus and from reads', async () => {
  const catalogue = new PackageCache({ store, liveBus, clock, maxAgeMs: 250 });
  const told: string[] = [];
  const unsubscribe = catalogue.subscribe({
    changed: ({ package: { id }, inventory: { waiting } }) => told.push(`${id}: ${waiting}`),
    removed: ({ package: { id }, inventory: { waiting } }) => told.push(`${id} removed: ${waiting}`),
  });
  const news = () => told.splice(0);
  await all(catalogue);
  expect(news()).toEqual(['1: 0', '2: 0']);
  liveBus.publishPackage(snapshot(1, 4));
  liveBus.publishPackage(snapshot(1, 4));
  expect(news()).toEqual(['1: 4']);
  await clock.advance(251);
  store.package.mockResolvedValueOnce(snapshot(1, 5));
  await catalogue.get(1);
  store.packagesPage.mockResolvedValueOnce({ items: [snapshot(1, 5)] });
  await all(catalogue);
  expect(news()).toEqual(['1: 5', '2 removed: 0']);
  liveBus.publishRemoved(1);
  liveBus.publishRemoved(1);
  expect(news()).toEqual(['1 removed: 5']);
  unsubscribe();
  liveBus.publishPackage(snapshot(1));
  expect(news()).toEqual([]);
  catalogue.close();
});

test('reread() uses a read that begins after the call, and concurrent calls share this read', async () => {
  const catalogue = new PackageCache({ store, liveBus, clock, maxAgeMs: 250 });
  const underWay = Promise.withResolvers<PackageSnapshot>();
  store.package.mockReturnValueOnce(underWay.promise);
  const before = catalogue.get(1);
  const after = Promise.all([catalogue.reread(1), catalogue.reread(1)]);
  liveBus.publishPackage(snapshot(1, 9));
  store.package.mockResolvedValueOnce(snapshot(1, 2));
  underWay.resolve(snapshot(1, 1));
  await before;
  expect((await after).map((each) => each?.inventory.waiting)).toEqual([2, 2]);
  expect(store.package).toHaveBeenCalledTimes(2);
  catalogue.close();
});

test('the cache reads no unknown ids from the store if only this process changes the store', async () => {
  const catalogue = new PackageCache({ store, liveBus, clock, maxAgeMs: Number.POSITIVE_INFINITY });
  await all(catalogue);
  expect(await catalogue.get(404)).toBeUndefined();
  expect(store.package).not.toHaveBeenCalled();
  catalogue.close();
});

test('Q12 a package that cannot be read is not taken for an unknown one', async () => {
  const catalogue = new PackageCache({ store, liveBus, clock, maxAgeMs: Number.POSITIVE_INFINITY });
  await all(catalogue);
  expect([await catalogue.get(3), store.package.mock.calls.length]).toEqual([undefined, 0]);
  const unreadable = new UnreadableError({ packageId: 3 }, 2);
  store.unreadable.mockReturnValue([unreadable]);
  store.package.mockRejectedValueOnce(unreadable);
  await expect(catalogue.get(3)).rejects.toBe(unreadable);
  store.unreadable.mockReturnValue([]);
  catalogue.close();
});

/** 2,500 packages in pages. `packageReads` has the ids of single reads. */
function manyPackages() {
  const stored = new Map(Array.from({ length: 2_500 }, (_, n) => [n + 1, snapshot(n + 1)]));
  const pageReads: (string | undefined)[] = [];
  const packageReads: number[] = [];
  const many = {
    async packagesPage(cursor: string | undefined, limit: number) {
      pageReads.push(cursor);
      const ids = [...stored.keys()].filter((id) => id > Number(cursor ?? 0)).slice(0, limit);
      const items = ids.map((id) => stored.get(id) as PackageSnapshot);
      return items.length < limit ? { items } : { items, next: String(ids.at(-1)) };
    },
    async package(id: number) {
      packageReads.push(id);
      return stored.get(id);
    },
    unreadable: () => [],
  };
  return { stored, pageReads, packageReads, store: many };
}

test('many packages are read page by page, and a page reads only its own packages again', async () => {
  const { stored, pageReads, packageReads, store } = manyPackages();
  const cache = new PackageCache({ store, liveBus, clock, maxAgeMs: 250 });
  const page = () => cache.page({ group: 'all', from: { above: 1_200 }, limit: 3 });
  expect((await page()).total).toBe(2_500);
  expect(pageReads).toEqual([undefined, '1000', '2000']);
  await clock.advance(251);
  stored.set(1_202, snapshot(1_202, 7));
  expect((await page()).items.map(({ inventory }) => inventory.waiting)).toEqual([0, 7, 0]);
  expect([packageReads, pageReads.length]).toEqual([[1_201, 1_202, 1_203], 3]);
  cache.close();
});

test('many packages are all read again at times, while nobody waits for it', async () => {
  const { stored, pageReads, store } = manyPackages();
  const cache = new PackageCache({ store, liveBus, clock, maxAgeMs: 250 });
  const page = () => cache.page({ group: 'all', limit: 1 });
  await page();
  // The live updates of these changes are lost.
  stored.set(3_000, snapshot(3_000));
  stored.delete(1_500);
  stored.delete(2_500);
  await clock.advance(749);
  await page();
  expect(pageReads).toHaveLength(3);
  await clock.advance(2);
  const gate = Promise.withResolvers<void>();
  const readPage = store.packagesPage;
  store.packagesPage = async (...all) => {
    await gate.promise;
    return readPage(...all);
  };
  await page();
  gate.resolve();
  await vi.waitFor(() => expect(cache.peek(3_000)).toBeDefined());
  expect([cache.peek(1_500), cache.peek(2_500), cache.ids('all').length]).toEqual([
    undefined,
    undefined,
    2_499,
  ]);
  cache.close();
});

test('a page of many packages fails if its packages cannot be read again', async () => {
  const { store } = manyPackages();
  const cache = new PackageCache({ store, liveBus, clock, maxAgeMs: 250 });
  await cache.start();
  await clock.advance(1_000);
  const away = new StoreUnavailableError('away');
  store.packagesPage = () => Promise.reject(away);
  store.package = () => Promise.reject(away);
  await expect(cache.page({ group: 'all', limit: 1 })).rejects.toBe(away);
  cache.close();
});

test('Q12 a page leaves out no package because another one cannot be read again', async () => {
  const { store } = manyPackages();
  const cache = new PackageCache({ store, liveBus, clock, maxAgeMs: 250 });
  await cache.start();
  await clock.advance(251);
  store.package = async (id) => {
    if (id === 2) throw new UnreadableError({ packageId: 2 }, 2);
    return snapshot(id, 5);
  };
  const { items } = await cache.page({ group: 'all', limit: 3 });
  expect(items.map(({ inventory }) => inventory.waiting)).toEqual([5, 0, 5]);
  cache.close();
});
