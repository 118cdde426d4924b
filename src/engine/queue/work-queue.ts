/**
 * Ids of orders that somebody should look at, first in first out. Only a hint: what it forgets is found in the store
 * again, and what it says twice does no harm. Pushed to by the queue engine, popped by its consumers.
 * @throws Error from any method when the queue cannot be reached: it may or may not have happened.
 */
export interface WorkQueue {
  push(orderId: string): Promise<void>;
  /** The oldest id, which is gone from the queue with that; undefined when none came in time. */
  pop(timeoutMs: number): Promise<string | undefined>;
  /** Whether the queue answers. */
  readonly available: boolean;
  close(): Promise<void>;
}
