import type { SQLOutputValue } from 'node:sqlite';
import type { Order } from '../../domain/order.ts';
import type { Inventory, PackageSnapshot, TravelPackage } from '../../domain/travel-package.ts';
import { checkedOrder, checkedPackage, NewerDocumentError } from '../unreadable.ts';

/** The version of the documents that this release writes. */
export const documentVersion = 1;

export type Row = Record<string, SQLOutputValue>;

/** @throws Error if it cannot be read. */
export function snapshotFrom(row: Row): PackageSnapshot {
  return checkedPackage({ package: document<TravelPackage>(row), inventory: inventoryFrom(row) });
}

/** @throws Error if it cannot be read. */
export function orderFrom(row: Row): Order {
  return checkedOrder(document<Order>(row));
}

/** The values of the inventory, in the order of {@link inventoryColumns}. */
export function inventoryValues(inventory: Inventory): number[] {
  const { remaining, held, confirmed, cancelling, waiting, nextNumber } = inventory;
  return [remaining, held, confirmed, cancelling, waiting, nextNumber];
}

export const inventoryColumns = [
  'remaining',
  'held',
  'confirmed',
  'cancelling',
  'waiting',
  'next_number',
] as const;

function inventoryFrom(row: Row): Inventory {
  return {
    remaining: Number(row.remaining),
    held: Number(row.held),
    confirmed: Number(row.confirmed),
    cancelling: Number(row.cancelling),
    waiting: Number(row.waiting),
    nextNumber: Number(row.next_number),
  };
}

/**
 * Reads the document of a row.
 * @throws NewerDocumentError for the document of a newer release, which this release could misunderstand; SyntaxError
 * if it is damaged.
 */
export function document<T>(row: Row): T {
  const version = Number(row.document_version);
  if (version > documentVersion) throw new NewerDocumentError(version);
  return JSON.parse(String(row.document)) as T;
}
