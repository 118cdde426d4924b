import type { Order } from './order.ts';
import type { Inventory, Offer, PackageSnapshot, TravelPackage } from './travel-package.ts';
/**
 * Absolute values, with the version that was read. Members that are absent stay as they are. Orders keep the package as they
 * were bought.
 */
export interface PackageUpdate extends Partial<Offer> {
  readonly version: number;
  /** Never below held + confirmed: `quota_too_low`. */
  readonly quota?: number;
  /** Null takes the limit away. */
  readonly opensAt?: number | null;
  readonly closesAt?: number | null;
  readonly paused?: boolean;
  readonly listed?: boolean;
  /** Ends the sale for good. `sale_not_ended` while it can be bought, or orders wait, are held or being cancelled. */
  readonly archived?: true;
}

/** What an order's email becomes, and its key where that goes too. Drawn by the caller, so that it may be repeated. */
export interface Erasure {
  readonly orderId: string;
  readonly email: string;
  readonly key?: string;
}

/** Everything one commit writes: all of it, or nothing. */
export interface Change {
  /** The package's new inventory, whole. */
  readonly inventory: Inventory;
  /** The package itself, where an operator changed it. */
  readonly package?: TravelPackage;
  readonly inserted: readonly Order[];
  /** Whole orders, replacing those with the same id. */
  readonly updated: readonly Order[];
  /** Whole orders that have ended, with another email and perhaps another key, and nothing else changed. */
  readonly erased?: readonly Order[];
}

/** Proof of ownership: a commit applies only while the stored package still carries both. */
export interface Fence {
  readonly epoch: number;
  /** Grows by one with every commit. */
  readonly seq: number;
}

/** What a new owner starts from: read after its epoch was durable. */
export interface Ownership extends PackageSnapshot {
  readonly fence: Fence;
  /** Who owned it before; absent where nobody did. */
  readonly former?: string;
  /** Every order of the package that is queued, held, compensating or cancelling, by number. */
  readonly unfinished: readonly Order[];
}
