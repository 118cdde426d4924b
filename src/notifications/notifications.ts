import type { AbortState } from '../lib/abort.ts';

/**
 * Tells buyers and the hotel's programs of the outcomes of orders. The owner of a package delivers the notices that its
 * orders owe: each at least once, and those of an order in the order of their events. Nothing waits for a delivery.
 */
export interface Notifications {
  /**
   * Delivers the notices of a package until the signal aborts. Its owner calls this at its activation.
   * @param settled called each time that nothing is left to deliver.
   */
  own(packageId: number, until: AbortState, settled: () => void): void;
  /** Delivers soon, because a commit of the owner, or an operator, has added notices. Costs nothing but a flag. */
  added(packageId: number): void;
  /** Whether notices of the package are being delivered, or wait for their next attempt. */
  isDelivering(packageId: number): boolean;
  /**
   * The packages that owed notices at the last look, and so need an owner. Asks nobody: a slow look must not keep orders
   * from an owner.
   */
  packagesOwing(): readonly number[];
}
