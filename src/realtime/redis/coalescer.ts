import type { QueueSnapshot } from '../live-bus.ts';
import type { LiveChange } from './protocol.ts';

/** What waits to be told to the other instances: the newest of each thing, in the order in which it became so. */
export class Coalescer {
  readonly #items = new Map<string, LiveChange>();
  readonly #itemsMax: number;
  #dropped = 0;

  /** @param itemsMax the oldest is dropped when more wait. */
  constructor(itemsMax: number) {
    this.#itemsMax = itemsMax;
  }

  get size(): number {
    return this.#items.size;
  }

  add(item: LiveChange): void {
    if ('line' in item) this.#addLine(item.line);
    else this.#put(keyOf(item), item);
  }

  /** Takes out the oldest ones. */
  take(max: number): LiveChange[] {
    const taken: LiveChange[] = [];
    for (const [key, item] of this.#items) {
      if (taken.length >= max) break;
      this.#items.delete(key);
      taken.push(item);
    }
    return taken;
  }

  /** How many were dropped since this was asked last. */
  takeDropped(): number {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }

  clear(): void {
    this.#items.clear();
  }

  /** A line with all its numbers comes seldom: one that has only the first must not take its place. */
  #addLine(line: QueueSnapshot): void {
    if (line.all === undefined) this.#put(`first ${line.packageId}`, { line });
    else {
      this.#items.delete(`first ${line.packageId}`);
      this.#put(`line ${line.packageId}`, { line });
    }
  }

  #put(key: string, item: LiveChange): void {
    this.#items.delete(key);
    this.#items.set(key, item);
    if (this.#items.size > this.#itemsMax) {
      this.take(1);
      this.#dropped++;
    }
  }
}

/** A package and its removal share a key: the newer one replaces the other while it waits. */
function keyOf(item: Exclude<LiveChange, { line: QueueSnapshot }>): string {
  if ('order' in item) return `order ${item.order.id}`;
  return `package ${'removed' in item ? item.removed.packageId : item.package.package.id}`;
}
