/**
 * Ids of orders to process, first in first out. Only a hint: consumers find lost ids in the store, and a duplicate id
 * is harmless. The queue engine pushes, its consumers pop.
 * @throws Error from any method if the queue cannot be reached. The operation may or may not have happened.
 */
export interface WorkQueue {
  push(orderId: string): Promise<void>;
  /** Removes and returns the oldest id; undefined if none came in time. */
  pop(timeoutMs: number): Promise<string | undefined>;
  /** Whether the queue answers. */
  readonly available: boolean;
  close(): Promise<void>;
}
