/** The flight, the night and their price. Each order keeps a copy from the time of its purchase. */
export interface Offer {
  readonly flight: string;
  /** The night, as an ISO date (`2022-08-09`). */
  readonly stay: string;
  /** In whole units of the configured currency. */
  readonly price: number;
}

/** The greatest package id. Every store and client represents fifteen digits exactly. */
export const packageIdMax = 999_999_999_999_999;

/** A package on sale. Every change by an operator raises `version`. */
export interface TravelPackage extends Offer {
  readonly id: number;
  /** The number of units on sale. Never below held + confirmed. */
  readonly quota: number;
  /** Begin of the sale window, as Unix time in ms. An absent `opensAt` or `closesAt` means no limit. */
  readonly opensAt?: number;
  readonly closesAt?: number;
  /** While the sale is paused, no unit is claimed and no order joins the queue. Queued orders keep their position. */
  readonly paused?: boolean;
  /** False hides the package from customers' lists, although it can still be bought by its id. Absent means true. */
  readonly listed?: boolean;
  /** True after the final end of the sale: the package is in no list and cannot be bought. Its orders stay. */
  readonly archived?: boolean;
  readonly version: number;
}

/**
 * Counts of a package's units and waiting orders. Rule Q1: `quota = remaining + held + confirmed`.
 * Compensating orders count as held, cancelling orders as confirmed.
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

/** Limits of the queue of one package. The smaller one counts. */
export interface QueueLimits {
  /** The most orders in the queue, per unit of quota. */
  readonly waitersPerUnit: number;
  /** The most orders in the queue, because each costs its owner memory and the next owner time. */
  readonly waitersMax: number;
}

/** The limits of an engine in which nobody waits. */
export const noQueue: QueueLimits = { waitersPerUnit: 0, waitersMax: 0 };

/** The most orders that may wait in the queue of a package. */
export function queueCapacity(quota: number, { waitersPerUnit, waitersMax }: QueueLimits): number {
  return Math.min(waitersPerUnit * quota, waitersMax);
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

/** The packages that are added to an empty store. */
export const samplePackages: readonly TravelPackage[] = [
  { id: 1, flight: 'Flight-1', stay: '2022-08-09', price: 100, quota: 1, version: 1 },
  { id: 2, flight: 'Flight-2', stay: '2022-08-09', price: 100, quota: 2, version: 1 },
  { id: 3, flight: 'Flight-3', stay: '2022-08-10', price: 100, quota: 2, version: 1 },
  { id: 4, flight: 'Flight-3', stay: '2022-08-11', price: 100, quota: 2, version: 1 },
];
