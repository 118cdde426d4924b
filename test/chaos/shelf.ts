import type { TravelPackage } from '../../src/domain/travel-package.ts';
import type { Prng } from '../simulation/prng.ts';

/** A kind of packages, of which some are on the shelf at the same time. */
interface Kind {
  readonly quota: readonly [number, number];
  /** Different ones on the shelf. */
  readonly atOnce: number;
  /** Share of the purchases. */
  readonly share: number;
  /** How many there are, per minute of a run. */
  readonly perMinute: number;
}

const kinds: readonly Kind[] = [
  { quota: [1, 5], atOnce: 3, share: 0.2, perMinute: 25 },
  { quota: [20, 120], atOnce: 3, share: 0.25, perMinute: 15 },
  { quota: [400, 1_500], atOnce: 2, share: 0.25, perMinute: 5 },
  // Never sold out: whatever happens, there is something to buy.
  { quota: [200_000, 400_000], atOnce: 3, share: 0.3, perMinute: 0 },
];

/** The shares, each on top of those before it. */
const bounds = kinds.map((_kind, index) =>
  kinds.slice(0, index + 1).reduce((sum, { share }) => sum + share, 0),
);

/** A package that has sold out is still asked for, so long. */
const lingerMs = 8_000;

interface Place {
  packageId: number;
  /** When somebody first heard that it is sold out. */
  soldOutAt: number | undefined;
  readonly stock: number[];
}

/** Packages of very different sizes, a few of them on offer at a time: who has sold out makes room for the next. */
export class Shelf {
  readonly packages: readonly TravelPackage[];
  readonly #dice: Prng;
  readonly #places: readonly (readonly Place[])[];
  readonly #now: () => number;

  constructor(minutes: number, dice: Prng, now: () => number) {
    this.#dice = dice;
    this.#now = now;
    const packages: TravelPackage[] = [];
    this.#places = kinds.map(({ quota, atOnce, perMinute }) => {
      const ids = Array.from({ length: atOnce + Math.ceil(perMinute * minutes) }, () => {
        const made = onOffer(packages.length + 1, dice.whole(...quota));
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

  /** Some package on offer. */
  pick(): number {
    const draw = this.#dice.fraction();
    const at = bounds.findIndex((bound) => draw < bound);
    return this.#offer(this.#dice.pick(this.#places.at(at) as Place[]));
  }

  /** One of the smallest. */
  pickHot(): number {
    return this.#offer(this.#dice.pick(this.#places[0] as Place[]));
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

function onOffer(id: number, quota: number): TravelPackage {
  return { id, flight: `Flight-${id}`, stay: '2030-08-09', price: 100, quota, version: 1 };
}
