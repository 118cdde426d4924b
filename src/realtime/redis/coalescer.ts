import type { LiveChange } from './protocol.ts';

/**
 * Changes that wait to be sent to the other instances. A newer change of the same package, order or queue replaces the
 * older change and moves to the end.
 */
export class Coalescer {
  readonly #changes = new Map<string, LiveChange>();
  readonly #changesMax: number;
  #dropped = 0;

  /** @param changesMax the most changes that wait. Above this number the oldest are dropped. */
  constructor(changesMax: number) {
    this.#changesMax = changesMax;
  }

  get size(): number {
    return this.#changes.size;
  }

  add(change: LiveChange): void {
    const key = keyOf(change);
    // A whole queue replaces its head. A head does not replace a whole queue, because whole queues come less often.
    if ('queue' in change && change.queue.all !== undefined)
      this.#changes.delete(`head ${change.queue.packageId}`);
    this.#changes.delete(key);
    this.#changes.set(key, change);
    if (this.#changes.size > this.#changesMax) {
      this.take(1);
      this.#dropped++;
    }
  }

  /** Removes and returns the oldest changes. */
  take(max: number): LiveChange[] {
    const taken: LiveChange[] = [];
    for (const [key, change] of this.#changes) {
      if (taken.length >= max) break;
      this.#changes.delete(key);
      taken.push(change);
    }
    return taken;
  }

  /** How many changes were dropped since the last call. */
  takeDropped(): number {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }
}

/** A package and its removal share a key, so that the newer of both replaces the other. */
function keyOf(change: LiveChange): string {
  if ('order' in change) return `order ${change.order.id}`;
  if ('removed' in change) return `package ${change.removed.packageId}`;
  if ('package' in change) return `package ${change.package.package.id}`;
  return `${change.queue.all === undefined ? 'head' : 'queue'} ${change.queue.packageId}`;
}
