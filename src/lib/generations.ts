import type { Clock } from './clock.ts';

/**
 * A map whose entries are forgotten a while after they were set: not before `keptMs`, and at the latest after twice that time.
 *
 * It has two generations of entries, and forgets the older one as a whole. This is cheaper than a timer for each entry.
 */
export class Generations<Key, Value> {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #keptMs: number;
  #newer = new Map<Key, Value>();
  #older = new Map<Key, Value>();
  /** When the newer generation began. */
  #since: number;

  constructor(keptMs: number, clock: Pick<Clock, 'monotonic'>) {
    this.#keptMs = keptMs;
    this.#clock = clock;
    this.#since = clock.monotonic();
  }

  get size(): number {
    this.#age();
    return this.#newer.size + this.#older.size;
  }

  get(key: Key): Value | undefined {
    this.#age();
    return this.#newer.get(key) ?? this.#older.get(key);
  }

  /** Sets an entry, or sets it again with a new time. */
  set(key: Key, value: Value): void {
    this.#age();
    this.#older.delete(key);
    this.#newer.set(key, value);
  }

  delete(key: Key): void {
    this.#newer.delete(key);
    this.#older.delete(key);
  }

  #age(): void {
    const ended = Math.floor((this.#clock.monotonic() - this.#since) / this.#keptMs);
    if (ended === 0) return;
    this.#older = ended === 1 ? this.#newer : new Map();
    this.#newer = new Map();
    this.#since += ended * this.#keptMs;
  }
}
