import type { Random } from '../../src/lib/random.ts';

/** Pseudo-random numbers from a seed: splitmix (https://prng.di.unimi.it/splitmix64.c) on 32 bits. */
export class Prng implements Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /**
   * Returns an independent generator for one part of the simulation, so that changes in this part do not shift the
   * draws of other parts.
   */
  fork(): Prng {
    return new Prng(this.#next());
  }

  fraction(): number {
    return this.#next() / 2 ** 32;
  }

  chance(share: number): boolean {
    return share > 0 && this.fraction() < share;
  }

  /** A whole number from `least` to `most`, both included. */
  whole(least: number, most: number): number {
    return least + Math.floor(this.fraction() * (most - least + 1));
  }

  between(least: number, most: number): number {
    return least + this.fraction() * (most - least);
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.whole(0, items.length - 1)] as Item;
  }

  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.#next() >>> 24);
  }

  #next(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  }
}
