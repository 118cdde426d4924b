import type { Order } from '../../src/domain/order.ts';
import { fullInventory, type PackageSnapshot } from '../../src/domain/travel-package.ts';
import type { BookingEngine, CachedPackages } from '../../src/engine/engine.ts';
import { PackageCache } from '../../src/engine/live-caches.ts';
import { PackageIndex } from '../../src/engine/package-index.ts';
import type { Clock } from '../../src/lib/clock.ts';
import type { LiveBus } from '../../src/realtime/live-bus.ts';

/** The time of the fakes: 2022-08-01T00:00:00.000Z. */
export const fakeNow = Date.UTC(2022, 7, 1);

/** A queued order, with overrides. */
export function fakeOrder(overrides: Partial<Order> = {}): Order {
  return {
    id: '7Q4M-9XKD-2VBN-H5TR',
    packageId: 1,
    number: 1,
    package: { flight: 'Flight-1', stay: '2022-08-09', price: 100 },
    email: 'ana@example.com',
    status: 'queued',
    createdAt: fakeNow,
    timeline: [{ at: fakeNow, event: 'queued' }],
    ...overrides,
  };
}

/** A package without orders, with overrides. */
export function fakeSnapshot(overrides: Partial<PackageSnapshot['package']> = {}): PackageSnapshot {
  const travelPackage = {
    id: 1,
    flight: 'Flight-1',
    stay: '2022-08-09',
    price: 100,
    quota: 1,
    version: 1,
    ...overrides,
  };
  return { package: travelPackage, inventory: fullInventory(travelPackage.quota) };
}

/** The packages of an engine with the cache of production: over this read, and updated by the live bus. */
export function livePackages(
  liveBus: LiveBus,
  clock: Clock,
  read: () => Promise<PackageSnapshot[]>,
): Pick<BookingEngine, 'packages' | 'cachedPackages'> {
  const store = {
    packagesPage: async () => ({ items: await read() }),
    package: async (id: number) => (await read()).find((snapshot) => snapshot.package.id === id),
    unreadable: () => [],
  };
  const cachedPackages = new PackageCache({ store, liveBus, clock, maxAgeMs: 250 });
  return { packages: (query) => cachedPackages.page(query), cachedPackages };
}

/** Packages that never change. */
export function fakePackages(
  snapshots: readonly PackageSnapshot[],
): Pick<BookingEngine, 'packages' | 'package' | 'cachedPackages'> {
  const byId = new Map(snapshots.map((snapshot) => [snapshot.package.id, snapshot]));
  const peek = (id: number) => byId.get(id);
  const index = new PackageIndex(peek, async () => {});
  for (const [id, snapshot] of byId) index.change(id, undefined, snapshot);
  const cachedPackages: CachedPackages = {
    peek,
    ids: (group) => index.ids(group),
    totals: (group) => index.totals(group),
    busy: () => index.busy(),
    refresh: async () => {},
    subscribe: () => () => {},
  };
  return {
    async packages(query) {
      const { ids, ...page } = await index.find(query);
      return { items: ids.flatMap((id) => peek(id) ?? []), ...page };
    },
    package: async (id) => peek(id),
    cachedPackages,
  };
}

/** An engine that accepts every purchase and leaves it queued, with overrides. */
export function fakeEngine(overrides: Partial<BookingEngine> = {}): BookingEngine {
  return {
    purchase: async () => ({ kind: 'accepted', order: fakeOrder() }),
    cancel: async (order) => ({ kind: 'accepted', order: { ...order, status: 'cancelling' } }),
    outcome: async (order) => order,
    order: async (id) => (id === fakeOrder().id ? fakeOrder() : undefined),
    orders: async (ids) => (ids.includes(fakeOrder().id) ? [fakeOrder()] : []),
    ordersByKey: async () => [],
    queuePosition: () => 3,
    estimatedWait: () => undefined,
    ...fakePackages([fakeSnapshot()]),
    suppliersAvailable: () => true,
    suppliersMostlyAvailable: true,
    readinessProblems: async () => [],
    drain: async () => {},
    ...overrides,
  };
}
