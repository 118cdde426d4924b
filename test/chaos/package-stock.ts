import type { TravelPackage } from '../../src/domain/travel-package.ts';
import type { Prng } from '../simulation/prng.ts';

/** A size of packages. A few packages of each size are on sale at the same time. */
interface PackageSize {
  readonly quota: readonly [number, number];
  /** How many packages of this size are on sale at the same time. */
  readonly atOnce: number;
  /** Share of the purchases. */
  readonly share: number;
  /** Packages of this size per minute of the run. */
  readonly perMinute: number;
}

const kinds: readonly PackageSize[] = [
  { quota: [1, 5], atOnce: 3, share: 0.2, perMinute: 25 },
  { quota: [20, 120], atOnce: 3, share: 0.25, perMinute: 15 },
  { quota: [400, 1_500], atOnce: 2, share: 0.25, perMinute: 5 },
  // These packages never sell out, so that there is always something to buy.
  { quota: [200_000, 400_000], atOnce: 3, share: 0.3, perMinute: 0 },
];

/** The cumulative shares of the sizes. */
const bounds = kinds.map((_kind, index) =>
  kinds.slice(0, index + 1).reduce((sum, { share }) => sum + share, 0),
);

/** How long buyers still try to buy a sold-out package, in ms. */
const lingerMs = 8_000;

interface Place {
  packageId: number;
  /** When a buyer first got the answer that the package is sold out. */
  soldOutAt: number | undefined;
  readonly stock: number[];
}

/** Packages of very different sizes. A few are on sale at a time, and the next package replaces a sold-out one. */
export class PackageStock {
  readonly packages: readonly TravelPackage[];
  readonly #prng: Prng;
  readonly #places: readonly (readonly Place[])[];
  readonly #now: () => number;

  constructor(minutes: number, prng: Prng, now: () => number) {
    this.#prng = prng;
    this.#now = now;
    const packages: TravelPackage[] = [];
    this.#places = kinds.map(({ quota, atOnce, perMinute }) => {
      const ids = Array.from({ length: atOnce + Math.ceil(perMinute * minutes) }, () => {
        const made = onOffer(packages.length + 1, prng.whole(...quota));
        packages.push(made);
        return made.id;
      });
      return Array.from({ length: atOnce }, (_, place) => {
        const stock = ids.filter((_id, index) => index % atOnce === place);
        return { packageId: stock.shift() as number, soldOutAt: undefined, stock };
      });
    });
    this.packages = packages;
  }

  /** Picks a package that is on sale. */
  pick(): number {
    const draw = this.#prng.fraction();
    const at = bounds.findIndex((bound) => draw < bound);
    return this.#offer(this.#prng.pick(this.#places.at(at) as Place[]));
  }

  /** Picks one of the smallest packages on sale. */
  pickHot(): number {
    return this.#offer(this.#prng.pick(this.#places[0] as Place[]));
  }

  /** Picks one of the packages that never sell out. */
  pickLargest(): number {
    return this.#offer(this.#prng.pick(this.#places.at(-1) as Place[]));
  }

  /** Picks a package that is on sale and that operators may change; undefined if there is none. */
  pickOperated(): number | undefined {
    const onSale = this.#places.flat().map((place) => this.#offer(place));
    const operated = onSale.filter(isOperated);
    return operated.length === 0 ? undefined : this.#prng.pick(operated);
  }

  noteSoldOut(packageId: number): void {
    const place = this.#places.flat().find((each) => each.packageId === packageId);
    if (place !== undefined) place.soldOutAt ??= this.#now();
  }

  #offer(place: Place): number {
    const isOver = place.soldOutAt !== undefined && this.#now() - place.soldOutAt > lingerMs;
    const next = isOver ? place.stock.shift() : undefined;
    if (next !== undefined) {
      place.packageId = next;
      place.soldOutAt = undefined;
    }
    return place.packageId;
  }
}

/**
 * Whether operators change the package. They leave two of three packages alone, because the checker holds refusals
 * against the time only while the quota stays the same.
 */
function isOperated(packageId: number): boolean {
  return packageId % 3 === 0;
}

/** A quarter of the packages is free, so that its orders need no payment. */
function onOffer(id: number, quota: number): TravelPackage {
  const price = id % 4 === 0 ? 0 : 100;
  return { id, flight: `Flight-${id}`, stay: '2030-08-09', price, quota, version: 1 };
}
