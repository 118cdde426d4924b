import type { UpdateFilter, UUID } from 'mongodb';
import { confirmedStatuses, isUnfinished, type Order } from '../../domain/order.ts';
import {
  fullInventory,
  type Inventory,
  type PackageSnapshot,
  type TravelPackage,
} from '../../domain/travel-package.ts';
import { defined } from '../../lib/defined.ts';
import type { LedgerEntry } from '../../suppliers/suppliers.ts';
import type { ArchivedCounts } from '../archive-store.ts';
import type { OperatorEvent } from '../operator-log.ts';
import { firstSeq } from '../store-helpers.ts';
import { checkedOrder, checkedPackage, NewerDocumentError } from '../unreadable.ts';

/**
 * The version of the documents that this release writes. Raise it when older releases would misunderstand the
 * documents. A new field that older releases may ignore needs no new version, because they leave such a field
 * unchanged.
 */
export const documentVersion = 1;

export interface Versioned {
  readonly v: number;
}

export interface PackageDocument extends Versioned {
  readonly _id: number;
  readonly package: Omit<TravelPackage, 'id'>;
  readonly figures: Inventory;
  readonly epoch: number;
  readonly seq: number;
  /** The owner and its sessions for commits: `session` for this package alone, `group` for several packages at once. */
  readonly owner?: { readonly instance: string; readonly session: UUID; readonly group?: UUID };
}

export interface OrderDocument extends Versioned, Omit<Order, 'id'>, Indexed {
  readonly _id: string;
}

/**
 * The fields of the partial indexes, each true or absent. The status itself is not indexed, because a change of an
 * indexed field makes the server update every index. Most changes of the status leave both fields unchanged.
 */
interface Indexed {
  /** True if the order needs an owner. */
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
export function refuseNewer({ v }: Versioned): void {
  if (v > documentVersion) throw new NewerDocumentError(v);
}

export function packageDocument({ id, ...added }: TravelPackage): PackageDocument {
  const figures = fullInventory(added.quota);
  return { _id: id, v: documentVersion, package: added, figures, epoch: 0, seq: firstSeq() };
}

/** @throws Error if it cannot be read. */
export function snapshotFrom(document: PackageDocument): PackageSnapshot {
  refuseNewer(document);
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
export function packageUpdate(
  figures: Inventory,
  replacement?: TravelPackage,
): UpdateFilter<PackageDocument> {
  const $set: Record<string, unknown> = {};
  const $unset: Record<string, true> = {};
  const { remaining, held, confirmed, cancelling, waiting, nextNumber } = figures;
  assign({ remaining, held, confirmed, cancelling, waiting, nextNumber }, 'figures', $set, $unset);
  if (replacement) {
    const { flight, stay, price, quota, version, opensAt, closesAt } = replacement;
    const { paused, listed, archived } = replacement;
    const sale = { opensAt, closesAt, paused, listed, archived };
    assign({ flight, stay, price, quota, version, ...sale }, 'package', $set, $unset);
  }
  return { $set, $unset, $inc: { seq: 1 } };
}

export function orderDocument(order: Order): OrderDocument {
  const { id, ...fields } = order;
  return { _id: id, v: documentVersion, ...fields, ...indexed(order) };
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
  refuseNewer(document);
  const { _id, packageId, number, email, key, status, reason, flight, hotel, createdAt, timeline } = document;
  const { flight: flightName, stay, price } = document.package;
  return checkedOrder({
    ...{ id: _id, packageId, number, package: { flight: flightName, stay, price } },
    email,
    ...(key === undefined ? {} : { key }),
    status,
    ...(reason === undefined ? {} : { reason }),
    ...(flight === undefined ? {} : { flight: { ticketNumber: flight.ticketNumber } }),
    ...(hotel === undefined ? {} : { hotel: { reservationNumber: hotel.reservationNumber } }),
    createdAt,
    timeline,
  });
}

/**
 * The update of an order. It sets each changing field alone, so that fields of a newer release stay. The other fields
 * of an order never change, so the server does not have to compare them.
 */
export function orderUpdate(order: Order): UpdateFilter<OrderDocument> {
  const { status, reason, flight, hotel, timeline } = order;
  const $set: Record<string, unknown> = {};
  const $unset: Record<string, true> = {};
  assign({ status, reason, timeline, ...indexed(order) }, undefined, $set, $unset);
  if (flight) $set['flight.ticketNumber'] = flight.ticketNumber;
  if (hotel) $set['hotel.reservationNumber'] = hotel.reservationNumber;
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

/** How many orders of a package were archived. */
export interface ArchivedPackageDocument extends Versioned, ArchivedCounts {
  readonly _id: number;
}

/** The id of an archived order that was confirmed. */
export interface ArchivedOrderDocument extends Versioned {
  readonly _id: string;
}
