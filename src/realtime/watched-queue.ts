import type { QueueSnapshot } from './live-bus.ts';
import type { WatchedOrder } from './watched-order.ts';

/**
 * The watched orders in the line of one package. A step of the line moves everybody in it: the first of them hear
 * of it with every tick, the rest in one pass per second.
 */
export class WatchedQueue {
  readonly #byNumber = new Map<number, WatchedOrder>();
  #first: readonly number[] = [];
  /** The newest whole line that has not been gone through yet. */
  #all: readonly number[] | undefined;

  get size(): number {
    return this.#byNumber.size;
  }

  add(number: number, watch: WatchedOrder): void {
    this.#byNumber.set(number, watch);
  }

  remove(number: number): void {
    this.#byNumber.delete(number);
  }

  hear(line: QueueSnapshot): void {
    this.#first = line.first;
    if (line.all !== undefined) this.#all = line.all;
  }

  /** Sets the places of the head of the line and returns who is watched there. */
  placeFirst(): WatchedOrder[] {
    return this.#place(this.#first, () => true);
  }

  /** Sets all places that are known and returns everybody who is watched. */
  placeAll(): Iterable<WatchedOrder> {
    const head = new Set(this.#first);
    this.#place(this.#all ?? [], (number) => !head.has(number));
    this.#all = undefined;
    this.placeFirst();
    return this.#byNumber.values();
  }

  #place(numbers: readonly number[], isMeant: (number: number) => boolean): WatchedOrder[] {
    const placed: WatchedOrder[] = [];
    for (const [index, number] of numbers.entries()) {
      const watch = this.#byNumber.get(number);
      if (watch === undefined || !isMeant(number)) continue;
      watch.place = index + 1;
      placed.push(watch);
    }
    return placed;
  }
}
