import type { UpdateFilter, UUID } from 'mongodb';
import type { Change } from '../../domain/messages.ts';
import type { Notice, NoticeChannel, NoticeEvent } from '../../domain/notices.ts';
import { confirmedStatuses, isUnfinished, type Order, type Payment } from '../../domain/order.ts';
import {
  fullInventory,
  type Inventory,
  type PackageSnapshot,
  type TravelPackage,
} from '../../domain/travel-package.ts';
import { defined } from '../../lib/defined.ts';
import type { LedgerEntry, PaymentEntry } from '../../suppliers/suppliers.ts';
import type { ArchivedCounts } from '../archive-store.ts';
import type { OperatorEvent } from '../operator-log.ts';
import type { DeadLetter } from '../outbox.ts';
import { firstSeq } from '../store-helpers.ts';
import { checkedOrder, checkedPackage, NewerDocumentError } from '../unreadable.ts';

/**
 * The version of the documents that this release writes, except packages and orders that have to be paid. Raise it when older releases would
 * misunderstand the documents. A new field that older releases may ignore needs no new version, because they leave such
 * a field unchanged.
 */
export const documentVersion = 1;

/**
 * The version of the packages that this release writes. Since version 2 a package names orders in `inFlight`, which
 * older releases would not find when they take it over.
 */
export const packageVersion = 2;

/**
 * The version of the orders that have to be paid. Older releases know no payments: they would confirm such an order unpaid,
 * or cancel it without a refund.
 */
export const payingOrderVersion = 2;

/**
 * The most units that may be held when a commit names its new orders in `inFlight`. Every commit writes the whole
 * package, so it must stay small.
 */
export const inFlightMax = 1_000;

export interface Versioned {
  readonly v: number;
}

export interface PackageDocument extends Versioned {
  readonly _id: number;
  readonly package: Omit<TravelPackage, 'id'>;
  readonly figures: Inventory;
  readonly epoch: number;
  readonly seq: number;
  /** The ids of held orders that are not in the index of unfinished orders. Absent or empty if there are none. */
  readonly inFlight?: Readonly<Record<string, true>>;
  /** The owner and its sessions for commits: `session` for this package alone, `group` for several packages at once. */
  readonly owner?: { readonly instance: string; readonly session: UUID; readonly group?: UUID };
}

export interface OrderDocument extends Versioned, Omit<Order, 'id'>, Indexed {
  readonly _id: string;
  /** The notices that the order owes: see {@link noticeField}. Absent if it never owed one. */
  readonly notices?: Readonly<Partial<Record<NoticeChannel, Readonly<Partial<Record<NoticeEvent, true>>>>>>;
  /** The channels of which the order may owe a notice: see {@link mayOweField}. */
  readonly mayOwe?: Readonly<Partial<Record<NoticeChannel, true>>>;
}

/** The field of an order that says that a notice is owed. */
export function noticeField({ channel, event }: Notice): string {
  return `notices.${channel}.${event}`;
}

/**
 * The field of an order on which the index of a channel depends: true if the order owes a notice of the channel, or will
 * soon. A held order normally has it from its insertion. So the update that owes the notice changes no indexed field,
 * which would make the server update every index.
 */
export function mayOweField(channel: NoticeChannel): string {
  return `mayOwe.${channel}`;
}

/**
 * The fields of the partial indexes, each true or absent. The status itself is not indexed, because a change of an
 * indexed field makes the server update every index. Most changes of the status leave both fields unchanged.
 */
interface Indexed {
  /**
   * True if the order needs an owner, and its package does not name it in `inFlight`. An order that is claimed at once
   * normally never has this field, so its end changes no index.
   */
  readonly unfinished?: true | undefined;
  /** True if the order counts for the limit per email. */
  readonly live?: true | undefined;
}

export interface SettingDocument extends Versioned {
  readonly _id: string;
  readonly value: string;
}

export interface OperatorEventDocument extends Versioned, Omit<OperatorEvent, 'id'> {
  readonly _id: string;
}

/**
 * Refuses a document of a newer release, which this release could misunderstand.
 * @throws NewerDocumentError
 */
export function refuseNewer({ v }: Versioned, newest = documentVersion): void {
  if (v > newest) throw new NewerDocumentError(v);
}

export function packageDocument({ id, ...added }: TravelPackage): PackageDocument {
  const figures = fullInventory(added.quota);
  return { _id: id, v: documentVersion, package: added, figures, epoch: 0, seq: firstSeq() };
}

/** @throws Error if it cannot be read. */
export function snapshotFrom(document: PackageDocument): PackageSnapshot {
  refuseNewer(document, packageVersion);
  const { flight, stay, price, quota, version, opensAt, closesAt } = document.package;
  const { paused, listed, archived } = document.package;
  const { remaining, held, confirmed, cancelling, waiting, nextNumber } = document.figures;
  return checkedPackage({
    package: {
      ...{ id: document._id, flight, stay, price, quota, version },
      ...defined({ opensAt, closesAt, paused, listed, archived }),
    },
    inventory: { remaining, held, confirmed, cancelling, waiting, nextNumber },
  });
}

/** The update of a package. It sets each field alone, so that fields of a newer release stay. */
export function packageUpdate(change: Change): UpdateFilter<PackageDocument> {
  const { inventory, package: replacement, inserted, updated } = change;
  const $set: Record<string, unknown> = { v: packageVersion };
  const $unset: Record<string, true> = {};
  for (const order of inserted) if (isNamed(order, inventory)) $set[`inFlight.${order.id}`] = true;
  for (const order of updated) if (order.status !== 'held') $unset[`inFlight.${order.id}`] = true;
  const { remaining, held, confirmed, cancelling, waiting, nextNumber } = inventory;
  assign({ remaining, held, confirmed, cancelling, waiting, nextNumber }, 'figures', $set, $unset);
  if (replacement) {
    const { flight, stay, price, quota, version, opensAt, closesAt } = replacement;
    const { paused, listed, archived } = replacement;
    const sale = { opensAt, closesAt, paused, listed, archived };
    assign({ flight, stay, price, quota, version, ...sale }, 'package', $set, $unset);
  }
  return { $set, $unset, $inc: { seq: 1 } };
}

/** Whether the package names a new order in `inFlight`. It does so until the order is no longer held. */
function isNamed({ status }: Order, { held }: Inventory): boolean {
  return status === 'held' && held <= inFlightMax;
}

/** The ids of the held orders that a package names. */
export function inFlightOf({ inFlight = {} }: PackageDocument): string[] {
  return Object.keys(inFlight);
}

/**
 * A new order.
 * @param inventory the package's inventory after the commit
 * @param owed the notices of the order
 * @param channels of which an order owes a notice when it ends
 */
export function orderDocument(
  order: Order,
  inventory: Inventory,
  owed: readonly Notice[] = [],
  channels: readonly NoticeChannel[] = [],
): OrderDocument {
  const { id, ...fields } = order;
  const { unfinished, live } = indexed(order);
  const isInFlight = isNamed(order, inventory);
  const flags = isInFlight ? { live } : { unfinished, live };
  const document = { _id: id, v: versionOf(order), ...fields, ...flags };
  const mayOwe: Partial<Record<NoticeChannel, true>> = {};
  if (isInFlight) for (const channel of channels) mayOwe[channel] = true;
  const notices: Partial<Record<NoticeChannel, Partial<Record<NoticeEvent, true>>>> = {};
  for (const { channel, event } of owed) {
    mayOwe[channel] = true;
    notices[channel] = { ...notices[channel], [event]: true };
  }
  return {
    ...document,
    ...(Object.keys(mayOwe).length === 0 ? {} : { mayOwe }),
    ...(owed.length === 0 ? {} : { notices }),
  };
}

/** The version of an order. The other releases keep reading the orders without a payment. */
function versionOf({ payment }: Pick<Order, 'payment'>): number {
  return payment === undefined ? documentVersion : payingOrderVersion;
}

function indexed(order: Order): Required<Indexed> {
  const unfinished = isUnfinished(order) ? true : undefined;
  return { unfinished, live: confirmedStatuses.includes(order.status) ? true : unfinished };
}

/**
 * Reads an order from its document. Keeps timeline entries as they are, so that fields of a newer release survive an
 * update.
 * @throws Error if it cannot be read.
 */
export function orderFrom(document: OrderDocument): Order {
  refuseNewer(document, versionOf(document));
  const { _id, packageId, number, email, key, language, status, reason, flight, hotel } = document;
  const { payment, createdAt, timeline } = document;
  const { flight: flightName, stay, price } = document.package;
  return checkedOrder({
    ...{ id: _id, packageId, number, package: { flight: flightName, stay, price } },
    email,
    ...(payment === undefined ? {} : { payment: paymentFrom(payment) }),
    ...(key === undefined ? {} : { key }),
    ...(language === undefined ? {} : { language }),
    status,
    ...(reason === undefined ? {} : { reason }),
    ...(flight === undefined ? {} : { flight: { ticketNumber: flight.ticketNumber } }),
    ...(hotel === undefined ? {} : { hotel: { reservationNumber: hotel.reservationNumber } }),
    createdAt,
    timeline,
  });
}

function paymentFrom({ amount, currency, provider, url, payBy }: Payment): Payment {
  return { amount, currency, ...defined({ provider, url, payBy }) };
}

/**
 * The update of an order. It sets each changing field alone, so that fields of a newer release stay. The other fields
 * of an order never change, so the server does not have to compare them.
 * @param owed the notices that the change owes
 */
export function orderUpdate(order: Order, owed: readonly Notice[] = []): UpdateFilter<OrderDocument> {
  const { status, reason, flight, hotel, payment, timeline } = order;
  const $set: Record<string, unknown> = {};
  const $unset: Record<string, true> = {};
  const { unfinished, live } = indexed(order);
  // A held order stays where an owner finds it: in the index, or named by its package.
  const flags = status === 'held' ? { live } : { unfinished, live };
  assign({ status, reason, timeline, ...flags }, undefined, $set, $unset);
  if (flight) $set['flight.ticketNumber'] = flight.ticketNumber;
  if (hotel) $set['hotel.reservationNumber'] = hotel.reservationNumber;
  if (payment?.provider !== undefined) $set['payment.provider'] = payment.provider;
  if (payment?.url !== undefined) $set['payment.url'] = payment.url;
  if (payment?.payBy !== undefined) $set['payment.payBy'] = payment.payBy;
  for (const notice of owed) {
    $set[noticeField(notice)] = true;
    $set[mayOweField(notice.channel)] = true;
  }
  return { $set, $unset } as UpdateFilter<OrderDocument>;
}

/** Erases the personal data of an order. */
export function orderErasure({ email, key }: Order): UpdateFilter<OrderDocument> {
  return { $set: defined({ email, key }) };
}

export function operatorEventFrom(stored: OperatorEventDocument): OperatorEvent {
  refuseNewer(stored);
  const { _id: id, v: _, ...event } = stored;
  return { id, ...event };
}

/** Sets the defined fields and removes the undefined ones. */
function assign(
  fields: Readonly<Record<string, unknown>>,
  inside: string | undefined,
  $set: Record<string, unknown>,
  $unset: Record<string, true>,
): void {
  for (const [name, value] of Object.entries(fields)) {
    const path = inside === undefined ? name : `${inside}.${name}`;
    if (value === undefined) $unset[path] = true;
    else $set[path] = value;
  }
}

export interface ReservationDocument extends Versioned, Omit<LedgerEntry, 'key'> {
  readonly _id: string;
  /** When it was made, as Unix time in ms. Absent in documents of older releases. */
  readonly at?: number;
}

/** A payment at the simulated provider. */
export interface PaymentDocument extends Versioned, Omit<PaymentEntry, 'key'> {
  readonly _id: string;
}

/** The `_id` is the id of the notice. */
export interface DeadLetterDocument extends Versioned, DeadLetter {
  readonly _id: string;
}

/** How many orders of a package were archived. */
export interface ArchivedPackageDocument extends Versioned, ArchivedCounts {
  readonly _id: number;
}

/** The id of an archived order that was confirmed. */
export interface ArchivedOrderDocument extends Versioned {
  readonly _id: string;
}
