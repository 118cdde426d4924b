import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { WorkQueue } from '../../src/engine/queue/work-queue.ts';

export interface OpenedQueue {
  readonly queue: WorkQueue;
  close(): Promise<void>;
}

/** The contract of `WorkQueue`, run on each implementation. */
export function workQueueContract(name: string, open: () => Promise<OpenedQueue>): void {
  describe(`work queue contract: ${name}`, () => {
    let opened: OpenedQueue;
    let queue: WorkQueue;

    beforeEach(async () => {
      opened = await open();
      queue = opened.queue;
      await vi.waitFor(() => expect(queue.available).toBe(true), 10_000);
    });
    afterEach(() => opened.close());

    test('gives ids first in first out, each once', async () => {
      for (const id of ['1', '2', '3']) await queue.push(id);
      const popped = [await queue.pop(0), await queue.pop(1_000), await queue.pop(0), await queue.pop(0)];
      expect(popped).toEqual(['1', '2', '3', undefined]);
    });

    test('a pop waits for a push, or ends after its timeout', async () => {
      expect(await queue.pop(20)).toBeUndefined();
      const popped = queue.pop(5_000);
      await queue.push('late');
      expect(await popped).toBe('late');
    });

    test('keeps every id of concurrent pushes', async () => {
      const ids = Array.from({ length: 500 }, (_, each) => `order-${each}`);
      await Promise.all(ids.map((id) => queue.push(id)));
      const popped = new Set<string | undefined>();
      for (const _ of ids) popped.add(await queue.pop(1_000));
      expect(popped).toEqual(new Set(ids));
    });
  });
}
