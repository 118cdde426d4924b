import type { Change } from '../../src/domain/messages.ts';
import type { NoticeEvent, OrderAt } from '../../src/domain/notices.ts';
import type { Order } from '../../src/domain/order.ts';
import type { Inventory, TravelPackage } from '../../src/domain/travel-package.ts';

/** A plain, valid package for contract suites, with the overrides of the test. */
export function samplePackage(over: Partial<TravelPackage> = {}): TravelPackage {
  return { id: 1, flight: 'Flight-1', stay: '2022-08-09', price: 100, quota: 5, version: 1, ...over };
}

/** An order of package 1 whose id, key and email follow from its number. */
export function sampleOrder(number: number, over: Partial<Order> = {}): Order {
  return {
    id: `ORDER-${over.packageId ?? 1}-${number}`,
    packageId: 1,
    number,
    package: { flight: 'Flight-1', stay: '2022-08-09', price: 100 },
    email: `buyer${number}@example.com`,
    key: `key-${number}`,
    status: 'queued',
    createdAt: 1_660_000_000_000 + number,
    timeline: [{ at: 1_660_000_000_000 + number, event: 'queued' }],
    ...over,
  };
}

/** An order as it was at an event, with its payment if the event is about one. */
export function sampleOrderAt(event: NoticeEvent, over: Partial<Order> = {}): OrderAt {
  const payment = { amount: 12_050, currency: 'EUR', url: 'https://pay.example/1', payBy: 1_660_000_300_000 };
  const order = sampleOrder(1, {
    ...{ id: '7Q4M-9XKD-2VBN-H5TR', status: event === 'refunded' ? 'cancelled' : event },
    ...(event === 'payable' || event === 'refunded' ? { payment } : {}),
    ...over,
  });
  return { event, at: 1_660_000_000_000, order, isPast: false };
}

export function sampleInventory(over: Partial<Inventory> = {}): Inventory {
  return { remaining: 5, held: 0, confirmed: 0, cancelling: 0, waiting: 0, nextNumber: 1, ...over };
}

export function sampleChange(over: Partial<Change> = {}): Change {
  return { inventory: sampleInventory(), inserted: [], updated: [], ...over };
}
