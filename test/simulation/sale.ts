import type { TravelPackage } from '../../src/domain/travel-package.ts';
import type { Prng } from './prng.ts';

/** The packages and customers of a seed, and the customers' behaviour. */
export interface Sale {
  readonly packages: readonly TravelPackage[];
  readonly customers: number;
  /** The time in which all customers come, in ms. */
  readonly rushMs: number;
  readonly waitersPerUnit: number;
  /** The most orders in the queue of one package. */
  readonly waitersMax: number;
  readonly ordersPerEmail: number;
  /** Probabilities that a customer sends a key, repeats the purchase, comes back much later, or disconnects. */
  readonly withKey: number;
  readonly repeats: number;
  readonly returns: number;
  readonly hangsUp: number;
  /** Probabilities that a customer cancels the order, or looks it up. */
  readonly cancels: number;
  readonly looks: number;
  /** Number of package updates by operators. */
  readonly amendments: number;
}

export function drawSale(prng: Prng): Sale {
  const count = prng.pick([1, 1, 1, 1, 2, 3, 6, 20]);
  const packages = Array.from({ length: count }, (_, index) => ({
    id: index + 1,
    flight: `Flight-${index + 1}`,
    stay: '2030-02-01',
    price: 100,
    quota: prng.pick([0, 1, 1, 2, 3, 5, 10, 50]),
    version: 1,
  }));
  return {
    packages,
    customers: prng.pick([5, 15, 30, 60]),
    rushMs: prng.pick([5, 500, 5_000, 15_000]),
    waitersPerUnit: prng.pick([0, 1, 3, 64]),
    waitersMax: prng.pick([1, 7, 1_000, 1_000]),
    ordersPerEmail: prng.pick([0, 0, 0, 2]),
    withKey: prng.pick([0, 0.5, 1]),
    repeats: prng.pick([0, 0.2, 0.6]),
    returns: prng.pick([0, 0, 0.5]),
    hangsUp: prng.pick([0, 0.1, 0.4]),
    cancels: prng.pick([0, 0.1, 0.5, 0.9]),
    looks: prng.pick([0, 0, 0.3]),
    amendments: prng.pick([0, 0, 2, 6]),
  };
}
