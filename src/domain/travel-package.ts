/** The goods and their price. Each order keeps a copy from the time of its purchase. */
export interface Offer {
  readonly flight: string;
  /** The night, as an ISO date (`2022-08-09`). */
  readonly stay: string;
  /** In whole units of the configured currency. */
  readonly price: number;
}

/** The greatest package id. Every store and client keeps fifteen digits exactly. */
export const packageIdMax = 999_999_999_999_999;

/** A package on sale. Every change by an operator raises `version`. */
export interface TravelPackage extends Offer {
  readonly id: number;
  /** All units on sale. Never below held + confirmed. */
  readonly quota: number;
  /** Sale window, in ms since the epoch; absent means no limit. */
  readonly opensAt?: number;
  readonly closesAt?: number;
  /** While paused, no unit is claimed and nobody joins the queue. Orders in the queue keep their position. */
  readonly paused?: boolean;
  /** False hides the package from customers' lists; it can still be bought by its id. Absent means true. */
  readonly listed?: boolean;
  /** The sale has ended for good: the package is in no list and cannot be bought. Its orders stay. */
  readonly archived?: boolean;
  readonly version: number;
}

/**
 * Counts of a package's units and waiting orders. Rule Q1: `quota = remaining + held + confirmed`.
 * Compensating orders count as held, cancelling ones as confirmed.
 */
export interface Inventory {
  readonly remaining: number;
  readonly held: number;
  readonly confirmed: number;
  /** The part of `confirmed` that is being cancelled. */
  readonly cancelling: number;
  /** Orders in the queue. */
  readonly waiting: number;
  /** The number that the next stored order gets; numbers start at 1 (rule Q5). */
  readonly nextNumber: number;
}

/** A package with its inventory, as shown to customers. */
export interface PackageSnapshot {
  readonly package: TravelPackage;
  readonly inventory: Inventory;
}

/** Whether customers find the package in lists. */
export function isListed({ package: { listed, archived } }: PackageSnapshot): boolean {
  return listed !== false && archived !== true;
}

/** The inventory of a package that nobody has ordered yet. */
export function fullInventory(quota: number): Inventory {
  return { remaining: quota, held: 0, confirmed: 0, cancelling: 0, waiting: 0, nextNumber: 1 };
}

/** Whether rule Q1 holds and no count is negative. */
export function isConserved(quota: number, inventory: Inventory): boolean {
  const { remaining, held, confirmed, cancelling } = inventory;
  return (
    quota === remaining + held + confirmed &&
    Math.min(remaining, held, cancelling, confirmed - cancelling, inventory.waiting) >= 0
  );
}

/** Rule Q4: a package is sold out only when every unit is confirmed and none is being cancelled. */
export function isSoldOut(quota: number, inventory: Inventory): boolean {
  return inventory.confirmed - inventory.cancelling >= quota;
}

/** How many orders may wait for a unit of a package. */
export function queueCapacity(quota: number, waitersPerUnit: number): number {
  return waitersPerUnit * quota;
}

/** Whether the sale opens before it closes. */
export function isSaleWindow({ opensAt, closesAt }: Pick<TravelPackage, 'opensAt' | 'closesAt'>): boolean {
  return opensAt === undefined || closesAt === undefined || opensAt < closesAt;
}

export type SalePhase = 'not_open' | 'open' | 'closed';

export function salePhase(travelPackage: TravelPackage, now: number): SalePhase {
  if (travelPackage.opensAt !== undefined && now < travelPackage.opensAt) return 'not_open';
  if (travelPackage.closesAt !== undefined && now >= travelPackage.closesAt) return 'closed';
  return 'open';
}

/** The packages that an empty store gets. */
export const samplePackages: readonly TravelPackage[] = [
  { id: 1, flight: 'Flight-1', stay: '2022-08-09', price: 100, quota: 1, version: 1 },
  { id: 2, flight: 'Flight-2', stay: '2022-08-09', price: 100, quota: 2, version: 1 },
  { id: 3, flight: 'Flight-3', stay: '2022-08-10', price: 100, quota: 2, version: 1 },
  { id: 4, flight: 'Flight-3', stay: '2022-08-11', price: 100, quota: 2, version: 1 },
];
