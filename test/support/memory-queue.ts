import type { WorkQueue } from '../../src/engine/queue/work-queue.ts';

export interface MemoryQueue extends WorkQueue {
  available: boolean;
  readonly size: number;
  /** Removes all ids. */
  wipe(): void;
}

/** A work queue in memory. */
export function memoryQueue(): MemoryQueue {
  const ids: string[] = [];
  const poppers: ((id: string) => void)[] = [];
  return {
    available: true,
    get size() {
      return ids.length;
    },
    wipe() {
      ids.length = 0;
    },
    async push(orderId) {
      const popper = poppers.shift();
      if (popper === undefined) ids.push(orderId);
      else popper(orderId);
    },
    pop(timeoutMs) {
      const id = ids.shift();
      if (id !== undefined || timeoutMs <= 0) return Promise.resolve(id);
      return new Promise((resolve) => {
        const take = (popped: string | undefined) => {
          clearTimeout(timer);
          resolve(popped);
        };
        const timer = setTimeout(() => {
          poppers.splice(poppers.indexOf(take), 1);
          take(undefined);
        }, timeoutMs);
        poppers.push(take);
      });
    },
    async close() {},
  };
}
