import type { Collection, Db, IndexDescription } from 'mongodb';
import type { NoticeChannel } from '../../domain/notices.ts';
import { settlesWithin } from '../../lib/deadline.ts';
import type { SupplierKind } from '../../suppliers/suppliers.ts';
import {
  type ArchivedOrderDocument,
  type ArchivedPackageDocument,
  type DeadLetterDocument,
  mayOweField,
  type OperatorEventDocument,
  type OrderDocument,
  type PackageDocument,
  type PaymentDocument,
  type ReservationDocument,
  type SettingDocument,
} from './documents.ts';

export interface Collections {
  readonly packages: Collection<PackageDocument>;
  readonly orders: Collection<OrderDocument>;
  readonly settings: Collection<SettingDocument>;
  readonly operatorEvents: Collection<OperatorEventDocument>;
  readonly deadLetters: Collection<DeadLetterDocument>;
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
/** Orders that may owe a notice of a channel. */
function mayOwe(channel: NoticeChannel) {
  return { [mayOweField(channel)]: true };
}
/** Orders that owe a notice of a channel, as {@link withInFlight}. */
export function owing(channel: NoticeChannel) {
  return { ...mayOwe(channel), [`notices.${channel}`]: { $gt: {} } };
}
/** Orders that owe no notice of a channel, whether or not they may. */
export function owingNone(channel: NoticeChannel) {
  return { [`notices.${channel}`]: { $not: { $gt: {} } } };
}
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
export function mayOweIndex(channel: NoticeChannel): string {
  return `may_owe_${channel}`;
}
/**
 * The index for the delivery of notices. It has the orders that owe one and those that are being booked, and is made only
 * if notices are sent.
 */
function noticesIndex(channel: NoticeChannel): IndexDescription {
  return {
    name: mayOweIndex(channel),
    key: { packageId: 1, _id: 1 },
    partialFilterExpression: mayOwe(channel),
  };
}
/**
 * How long a start waits for indexes over the orders that a later release or setting adds. Over millions of orders,
 * building one takes longer.
 */
const laterIndexesMs = 2_000;
/** The key hardly changes: only the condition matters. */
const packageIndexes: IndexDescription[] = [
  { name: 'in_flight', key: { epoch: 1 }, partialFilterExpression: withInFlight },
];
const ledgerIndexes: IndexDescription[] = [
  { name: 'by_number', key: { number: 1 }, unique: true, partialFilterExpression: hasNumber },
];

/** Every collection has this index. Asking for it makes the collection, so that a transaction does not have to. */
const idIndex: IndexDescription[] = [{ key: { _id: 1 } }];

const byTimeIndexes: IndexDescription[] = [{ name: 'by_time', key: { at: -1, _id: -1 } }];

export function collectionsOf(db: Db): Collections {
  return {
    packages: db.collection('packages'),
    orders: db.collection('orders'),
    settings: db.collection('settings'),
    operatorEvents: db.collection('operatorEvents'),
    deadLetters: db.collection('deadLetters'),
    archivedPackages: db.collection('archivedPackages'),
    archivedOrders: db.collection('archivedOrders'),
    ledgers: { flights: db.collection('flights'), hotels: db.collection('hotels') },
    payments: db.collection('payments'),
  };
}

/** The indexes that depend on settings. */
export interface OptionalIndexes {
  /** For counting orders by email. */
  readonly countsEmails: boolean;
  readonly noticeChannels: readonly NoticeChannel[];
}

/** Makes the missing indexes, and thereby the collections. */
export async function prepareIndexes(
  {
    orders,
    packages,
    ledgers,
    payments,
    operatorEvents,
    deadLetters,
    archivedPackages,
    archivedOrders,
  }: Collections,
  { countsEmails, noticeChannels }: OptionalIndexes,
): Promise<void> {
  await Promise.all([
    orders.createIndexes(countsEmails ? [...orderIndexes, emailIndex] : orderIndexes),
    packages.createIndexes(packageIndexes),
    ...Object.values(ledgers).map((ledger) => ledger.createIndexes(ledgerIndexes)),
    payments.createIndexes(ledgerIndexes),
    operatorEvents.createIndexes(byTimeIndexes),
    ...(noticeChannels.length > 0 ? [deadLetters.createIndexes(byTimeIndexes)] : []),
    archivedPackages.createIndexes(idIndex),
    archivedOrders.createIndexes(idIndex),
  ]);
  // MongoDB builds these indexes in the background. Until then a search by email may time out, and notices are late. If
  // a build fails, the next start tries again.
  const later = [ordersByEmail, ...noticeChannels.map(noticesIndex)];
  const built = orders.createIndexes(later).catch(() => {});
  await settlesWithin(laterIndexesMs, built);
}
