import type { Order } from '../../src/domain/order.ts';
import { fullInventory, type PackageSnapshot } from '../../src/domain/travel-package.ts';
import type { BookingEngine } from '../../src/engine/engine.ts';

/** 2022-08-01T00:00:00.000Z */
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
    suppliersAvailable: true,
    readinessProblems: async () => [],
    drain: async () => {},
    ...overrides,
  };
}
