import type { TravelPackage } from '../../src/domain/travel-package.ts';
import type { Prng } from './prng.ts';

/** What is sold in a seed, to whom, and how they behave. */
export interface Sale {
  readonly packages: readonly TravelPackage[];
  readonly customers: number;
  /** In how many ms all of them come. */
  readonly rushMs: number;
  readonly waitersPerUnit: number;
  readonly ordersPerEmail: number;
  /** From 0 to 1: send a key, repeat themselves, come back with their key much later, hang up. */
  readonly withKey: number;
  readonly repeats: number;
  readonly returns: number;
  readonly hangsUp: number;
  /** From 0 to 1: cancel what they have, look it up. */
  readonly cancels: number;
  readonly looks: number;
  /** Changes of packages that operators make. */
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
