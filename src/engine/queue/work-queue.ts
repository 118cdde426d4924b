/**
 * Ids of orders to process, first in first out. The ids are only hints: consumers find orders without an id in the
 * store, and a duplicate id is harmless. The queue engine pushes ids, and its consumers pop them.
 * @throws Error from any method if the queue cannot be reached. The operation may or may not have happened.
 */
export interface WorkQueue {
  push(orderId: string): Promise<void>;
  /** Removes and returns the oldest id; undefined if no id came within the timeout. */
  pop(timeoutMs: number): Promise<string | undefined>;
  /** Whether the queue answers. */
  readonly available: boolean;
  close(): Promise<void>;
}
