import type { Order } from '../../src/domain/order.ts';
import { fullInventory, type PackageSnapshot } from '../../src/domain/travel-package.ts';
import type { BookingEngine, CachedPackages } from '../../src/engine/engine.ts';
import { PackageCache } from '../../src/engine/live-caches.ts';
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
    packages: read,
    package: async (id: number) => (await read()).find((snapshot) => snapshot.package.id === id),
    unreadable: () => [],
  };
  const cachedPackages = new PackageCache({ store, liveBus, clock, maxAgeMs: 250 });
  return { packages: () => cachedPackages.all(), cachedPackages };
}

/** A cache with these packages that never change. */
function fakeCachedPackages(snapshots: readonly PackageSnapshot[]): CachedPackages {
  return {
    peek: (id) => snapshots.find((snapshot) => snapshot.package.id === id),
    values: () => snapshots,
    subscribe: () => () => {},
  };
}

/** An engine that accepts every purchase and leaves it queued, with overrides. */
export function fakeEngine(overrides: Partial<BookingEngine> = {}): BookingEngine {
  const snapshots = [fakeSnapshot()];
  return {
    purchase: async () => ({ kind: 'accepted', order: fakeOrder() }),
    cancel: async (order) => ({ kind: 'accepted', order: { ...order, status: 'cancelling' } }),
    outcome: async (order) => order,
    order: async (id) => (id === fakeOrder().id ? fakeOrder() : undefined),
    orders: async (ids) => (ids.includes(fakeOrder().id) ? [fakeOrder()] : []),
    ordersByKey: async () => [],
    queuePosition: () => 3,
    packages: async () => snapshots,
    package: async (id) => snapshots.find((snapshot) => snapshot.package.id === id),
    cachedPackages: fakeCachedPackages(snapshots),
    suppliersAvailable: () => true,
    suppliersMostlyAvailable: true,
    readinessProblems: async () => [],
    drain: async () => {},
    ...overrides,
  };
}
