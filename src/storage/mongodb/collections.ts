import type { Collection, Db, IndexDescription } from 'mongodb';
import { settlesWithin } from '../../lib/deadline.ts';
import type { SupplierKind } from '../../suppliers/suppliers.ts';
import type {
  ArchivedOrderDocument,
  ArchivedPackageDocument,
  OperatorEventDocument,
  OrderDocument,
  PackageDocument,
  PaymentDocument,
  ReservationDocument,
  SettingDocument,
} from './documents.ts';

export interface Collections {
  readonly packages: Collection<PackageDocument>;
  readonly orders: Collection<OrderDocument>;
  readonly settings: Collection<SettingDocument>;
  readonly operatorEvents: Collection<OperatorEventDocument>;
  readonly archivedPackages: Collection<ArchivedPackageDocument>;
  readonly archivedOrders: Collection<ArchivedOrderDocument>;
  /** The ledger of the simulated suppliers. */
  readonly ledgers: Readonly<Record<SupplierKind, Collection<ReservationDocument>>>;
  /** The ledger of the simulated payment provider. */
  readonly payments: Collection<PaymentDocument>;
}

/** MongoDB uses a partial index only for a query that repeats the condition of the index. */
export const unfinished = { unfinished: true } as const;
export const live = { live: true } as const;
/** Packages that name at least one order in `inFlight`: MongoDB compares objects field by field. */
export const withInFlight = { inFlight: { $gt: {} } } as const;
export const hasNumber = { number: { $gt: '' } };

/** With these indexes, no query of a purchase reads more documents than it needs. */
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
/**
 * The index for a limit per email. It is made only if there is such a limit, because every write of an order pays for
 * each index.
 */
const emailIndex: IndexDescription = {
  name: 'live_by_email',
  key: { packageId: 1, email: 1, live: 1 },
  partialFilterExpression: live,
};
/** The index for operators who search by email. */
const ordersByEmail: IndexDescription = {
  name: 'orders_by_email',
  key: { email: 1, packageId: 1, number: 1 },
};
/**
 * How long a start waits for the index `orders_by_email`. Over millions of orders of an older release, building it
 * takes longer.
 */
const ordersByEmailMs = 2_000;
/** The key hardly changes: only the condition matters. */
const packageIndexes: IndexDescription[] = [
  { name: 'in_flight', key: { epoch: 1 }, partialFilterExpression: withInFlight },
];
const ledgerIndexes: IndexDescription[] = [
  { name: 'by_number', key: { number: 1 }, unique: true, partialFilterExpression: hasNumber },
];

/** Every collection has this index. Asking for it makes the collection, so that a transaction does not have to. */
const idIndex: IndexDescription[] = [{ key: { _id: 1 } }];

const operatorEventIndexes: IndexDescription[] = [{ name: 'by_time', key: { at: -1, _id: -1 } }];

export function collectionsOf(db: Db): Collections {
  return {
    packages: db.collection('packages'),
    orders: db.collection('orders'),
    settings: db.collection('settings'),
    operatorEvents: db.collection('operatorEvents'),
    archivedPackages: db.collection('archivedPackages'),
    archivedOrders: db.collection('archivedOrders'),
    ledgers: { flights: db.collection('flights'), hotels: db.collection('hotels') },
    payments: db.collection('payments'),
  };
}

/** Makes the missing indexes, and thereby the collections. */
export async function prepareIndexes(
  { orders, packages, ledgers, payments, operatorEvents, archivedPackages, archivedOrders }: Collections,
  countsEmails: boolean,
): Promise<void> {
  await Promise.all([
    orders.createIndexes(countsEmails ? [...orderIndexes, emailIndex] : orderIndexes),
    packages.createIndexes(packageIndexes),
    ...Object.values(ledgers).map((ledger) => ledger.createIndexes(ledgerIndexes)),
    payments.createIndexes(ledgerIndexes),
    operatorEvents.createIndexes(operatorEventIndexes),
    archivedPackages.createIndexes(idIndex),
    archivedOrders.createIndexes(idIndex),
  ]);
  // MongoDB builds this index in the background. Until then a search by email may time out. If the build fails, the
  // next start tries again.
  const built = orders.createIndexes([ordersByEmail]).catch(() => {});
  await settlesWithin(ordersByEmailMs, built);
}
