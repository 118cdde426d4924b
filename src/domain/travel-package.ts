/** What a buyer gets: kept on the order as it was when it was bought. */
export interface Offer {
  readonly flight: string;
  /** The night, as an ISO date (`2022-08-09`). */
  readonly stay: string;
  /** In whole units of the configured currency. */
  readonly price: number;
}

/** Ids go up to here: fifteen digits, which every store and every client keeps exactly, with room above. */
export const packageIdMax = 999_999_999_999_999;

/** A package on sale. `version` grows with every change an operator makes. */
export interface TravelPackage extends Offer {
  readonly id: number;
  /** Units on sale in all, never below held + confirmed. */
  readonly quota: number;
  /** Sale window, in ms since the epoch; absent means open-ended. */
  readonly opensAt?: number;
  readonly closesAt?: number;
  /** While paused nothing is claimed and nobody joins the line; those in it keep their place. */
  readonly paused?: boolean;
  /** False: it is in no list of customers, and is bought by its id alone. Absent means true. */
  readonly listed?: boolean;
  /** Its sale has ended for good: it is in no list, and cannot be bought. Its orders stay. */
  readonly archived?: boolean;
  readonly version: number;
}

/**
 * Where a package's units are. Rule Q1: `quota = remaining + held + confirmed`.
 * Compensating orders count as held, cancelling ones as confirmed.
 */
export interface Inventory {
  readonly remaining: number;
  readonly held: number;
  readonly confirmed: number;
  /** Those of `confirmed` whose unit is on its way back. */
  readonly cancelling: number;
  /** Orders in the line. */
  readonly waiting: number;
  /** The number that the next stored order gets; numbers start at 1 (rule Q5). */
  readonly nextNumber: number;
}

/** A package with its inventory, as shown to customers. */
export interface PackageSnapshot {
  readonly package: TravelPackage;
  readonly inventory: Inventory;
}

/** Whether customers find it in lists: all but those that are not listed, or archived. */
export function isListed({ package: { listed, archived } }: PackageSnapshot): boolean {
  return listed !== false && archived !== true;
}

/** The inventory of a package that nobody has ordered yet. */
export function fullInventory(quota: number): Inventory {
  return { remaining: quota, held: 0, confirmed: 0, cancelling: 0, waiting: 0, nextNumber: 1 };
}

/** Rule Q1. */
export function isConserved(quota: number, inventory: Inventory): boolean {
  const { remaining, held, confirmed, cancelling } = inventory;
  return (
    quota === remaining + held + confirmed &&
    Math.min(remaining, held, cancelling, confirmed - cancelling, inventory.waiting) >= 0
  );
}

/** Rule Q4: only when every unit is confirmed for good, none of them on its way back. */
export function isSoldOut(quota: number, inventory: Inventory): boolean {
  return inventory.confirmed - inventory.cancelling >= quota;
}

/** Whether a sale with these limits could ever be open. */
export function isSaleWindow({ opensAt, closesAt }: Pick<TravelPackage, 'opensAt' | 'closesAt'>): boolean {
  return opensAt === undefined || closesAt === undefined || opensAt < closesAt;
}

export type SalePhase = 'not_open' | 'open' | 'closed';

export function salePhase(travelPackage: TravelPackage, now: number): SalePhase {
  if (travelPackage.opensAt !== undefined && now < travelPackage.opensAt) return 'not_open';
  if (travelPackage.closesAt !== undefined && now >= travelPackage.closesAt) return 'closed';
  return 'open';
}
