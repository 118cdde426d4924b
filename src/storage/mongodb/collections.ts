import { setTimeout as sleep } from 'node:timers/promises';
import type { Collection, Db, IndexDescription } from 'mongodb';
import type { SupplierKind } from '../../suppliers/suppliers.ts';
import type {
  OperatorEventDocument,
  OrderDocument,
  PackageDocument,
  ReservationDocument,
  SettingDocument,
} from './documents.ts';

export interface Collections {
  readonly packages: Collection<PackageDocument>;
  readonly orders: Collection<OrderDocument>;
  readonly settings: Collection<SettingDocument>;
  readonly operatorEvents: Collection<OperatorEventDocument>;
  /** The simulated suppliers' memory. */
  readonly ledgers: Readonly<Record<SupplierKind, Collection<ReservationDocument>>>;
}

/** The partial indexes are used only by queries that repeat these conditions. */
export const unfinished = { unfinished: true } as const;
export const live = { live: true } as const;
export const hasNumber = { number: { $gt: '' } };

/** Nothing that a purchase runs reads more documents than it touches. */
const orderIndexes: IndexDescription[] = [
  { name: 'by_number', key: { packageId: 1, number: 1 }, unique: true },
  {
    name: 'by_key',
    key: { packageId: 1, key: 1 },
    unique: true,
    partialFilterExpression: { key: { $exists: true } },
  },
  {
    name: 'unfinished',
    key: { unfinished: 1, packageId: 1, number: 1 },
    partialFilterExpression: unfinished,
  },
];
/** Made only where emails have a limit: whatever an order's index costs, each step of each purchase pays. */
const emailIndex: IndexDescription = {
  name: 'live_by_email',
  key: { packageId: 1, email: 1, live: 1 },
  partialFilterExpression: live,
};
/** Operators look for orders by email. */
const ordersByEmail: IndexDescription = {
  name: 'orders_by_email',
  key: { email: 1, packageId: 1, number: 1 },
};
/** How long a start waits for this index. For millions of orders of an older release, building it takes longer. */
const ordersByEmailMs = 2_000;
const ledgerIndexes: IndexDescription[] = [
  { name: 'by_number', key: { number: 1 }, unique: true, partialFilterExpression: hasNumber },
];

const operatorEventIndexes: IndexDescription[] = [{ name: 'by_time', key: { at: -1, _id: -1 } }];

export function collectionsOf(db: Db): Collections {
  return {
    packages: db.collection('packages'),
    orders: db.collection('orders'),
    settings: db.collection('settings'),
    operatorEvents: db.collection('operatorEvents'),
    ledgers: { flights: db.collection('flights'), hotels: db.collection('hotels') },
  };
}

/** Makes the indexes that are not there, and with them the collections. */
export async function prepareIndexes(
  { orders, ledgers, operatorEvents }: Collections,
  countsEmails: boolean,
): Promise<void> {
  await Promise.all([
    orders.createIndexes(countsEmails ? [...orderIndexes, emailIndex] : orderIndexes),
    ledgers.flights.createIndexes(ledgerIndexes),
    ledgers.hotels.createIndexes(ledgerIndexes),
    operatorEvents.createIndexes(operatorEventIndexes),
  ]);
  // The server builds it in the background. Until it is ready, a search by email may run into its time limit. A build
  // that fails is tried again at the next start.
  const built = orders.createIndexes([ordersByEmail]).catch(() => {});
  await Promise.race([built, sleep(ordersByEmailMs, undefined, { ref: false })]);
}
