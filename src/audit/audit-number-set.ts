/** A set of order numbers, with one bit for each number up to the greatest: a million orders take 125 KB. */
export class NumberSet {
  #bits = new Uint8Array(16);

  add(number: number): void {
    const byte = number >> 3;
    if (byte >= this.#bits.length) {
      const grown = new Uint8Array(Math.max(byte + 1, this.#bits.length * 2));
      grown.set(this.#bits);
      this.#bits = grown;
    }
    this.#bits[byte]! |= 1 << (number & 7);
  }

  has(number: number): boolean {
    return ((this.#bits[number >> 3] ?? 0) & (1 << (number & 7))) !== 0;
  }

  /** How many numbers the set contains. */
  get size(): number {
    let size = 0;
    for (let bits of this.#bits) for (; bits > 0; bits &= bits - 1) size += 1;
    return size;
  }

  /** Whether this set contains every number of `other`. */
  includes(other: NumberSet): boolean {
    return other.#bits.every((bits, byte) => (bits & ~(this.#bits[byte] ?? 0)) === 0);
  }
}
