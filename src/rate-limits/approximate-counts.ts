/** As many keys as this share a slot with few others; a power of two. */
const slotsCount = 65_536;
/** The most that is counted of a key. */
export const approximateMax = 65_535;

/**
 * A rough count of uses by key, in constant memory: keys are hashed to slots, and those that fall on the same one are
 * counted together. So a key's count is never too low, and thousands of keys that come once cost nothing to keep.
 */
export class ApproximateCounts {
  readonly #slots = new Uint16Array(slotsCount);
  readonly #windowMs: number;
  #endsAt = Number.NEGATIVE_INFINITY;

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** ms since the epoch: when everything is forgotten. */
  get endsAt(): number {
    return this.#endsAt;
  }

  /** Counts one use; returns the uses of this window. */
  add(key: string, now: number): number {
    if (now >= this.#endsAt) {
      this.#slots.fill(0);
      this.#endsAt = now + this.#windowMs;
    }
    const slot = hashOf(key) & (slotsCount - 1);
    const count = Math.min((this.#slots[slot] as number) + 1, approximateMax);
    this.#slots[slot] = count;
    return count;
  }
}

/** FNV-1a: who finds keys that collide makes them be counted exactly a little sooner, nothing else. */
function hashOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < key.length; at++) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193);
  return hash ^ (hash >>> 15);
}
