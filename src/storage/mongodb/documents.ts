import type { UpdateFilter, UUID } from 'mongodb';
import { confirmedStatuses, isUnfinished, type Order } from '../../domain/order.ts';
import {
  fullInventory,
  type Inventory,
  type PackageSnapshot,
  type TravelPackage,
} from '../../domain/travel-package.ts';
import type { LedgerEntry } from '../../suppliers/suppliers.ts';
import type { OperatorEvent } from '../operator-log.ts';
import { seqStart } from '../seq-start.ts';

/**
 * The shape of the documents that this release writes. It grows when an older release could no longer make sense
 * of them; a field that older releases may ignore does not raise it, and they leave such a field as it is.
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
  /** Who took the epoch, and the sessions in which it commits: the package's own, and the one for groups. */
  readonly owner?: { readonly instance: string; readonly session: UUID; readonly group?: UUID };
}

export interface OrderDocument extends Versioned, Omit<Order, 'id'>, Indexed {
  readonly _id: string;
}

/**
 * What the indexes of orders go by: true, or absent. They are apart from the status because a change of any indexed
 * field makes the server look at every index, and most changes of the status change neither.
 */
interface Indexed {
  /** An owner has work to do for it. */
  readonly unfinished?: true | undefined;
  /** It counts as one of its email's orders. */
  readonly live?: true | undefined;
}

export interface SettingDocument extends Versioned {
  readonly _id: string;
  readonly value: string;
}

export interface OperatorEventDocument extends Versioned, Omit<OperatorEvent, 'id'> {
  readonly _id: string;
}

/** @throws Error for a newer release's document, which may mean what this one does not know. */
export function refuseNewer({ v }: Versioned): void {
  if (v > documentVersion) {
    throw new Error(`a document was written by a newer release (document version ${v}): run that release`);
  }
}

export function packageDocument({ id, ...added }: TravelPackage): PackageDocument {
  const figures = fullInventory(added.quota);
  return { _id: id, v: documentVersion, package: added, figures, epoch: 0, seq: seqStart() };
}

export function snapshotFrom(document: PackageDocument): PackageSnapshot {
  refuseNewer(document);
  const { flight, stay, price, quota, version, opensAt, closesAt } = document.package;
  const { paused, listed, archived } = document.package;
  const { remaining, held, confirmed, cancelling, waiting, nextNumber } = document.figures;
  return {
    package: {
      ...{ id: document._id, flight, stay, price, quota, version },
      ...(opensAt === undefined ? {} : { opensAt }),
      ...(closesAt === undefined ? {} : { closesAt }),
      ...(paused === undefined ? {} : { paused }),
      ...(listed === undefined ? {} : { listed }),
      ...(archived === undefined ? {} : { archived }),
    },
    inventory: { remaining, held, confirmed, cancelling, waiting, nextNumber },
  };
}

/** Field by field, so that what a newer release has added beside them stays. */
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

/** Entries of the timeline travel whole: what a newer release has added to one survives this one's updates. */
export function orderFrom(document: OrderDocument): Order {
  refuseNewer(document);
  const { _id, packageId, number, email, key, status, reason, flight, hotel, createdAt, timeline } = document;
  const { flight: flightName, stay, price } = document.package;
  return {
    ...{ id: _id, packageId, number, package: { flight: flightName, stay, price } },
    email,
    ...(key === undefined ? {} : { key }),
    status,
    ...(reason === undefined ? {} : { reason }),
    ...(flight === undefined ? {} : { flight: { ticketNumber: flight.ticketNumber } }),
    ...(hotel === undefined ? {} : { hotel: { reservationNumber: hotel.reservationNumber } }),
    createdAt,
    timeline,
  };
}

/**
 * What an order's life changes, field by field, so that what a newer release has added beside them stays. Who
 * bought what, when and under which number and key is for life, and the server is not made to compare it.
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

/** Who bought it is nobody's business any more. */
export function orderErasure({ email, key }: Order): UpdateFilter<OrderDocument> {
  return { $set: { email, ...(key === undefined ? {} : { key }) } };
}

export function operatorEventFrom(stored: OperatorEventDocument): OperatorEvent {
  refuseNewer(stored);
  const { _id: id, v: _, ...event } = stored;
  return { id, ...event };
}

/** Sets what is there and takes away what is undefined. */
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
}
