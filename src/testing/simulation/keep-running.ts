import type { Scheduler } from './scheduler.ts';

/** Lets simulated time pass as fast as it can, for tests that know nothing of it. @returns how to stop. */
export function keepRunning(scheduler: Scheduler): () => void {
  let isOver = false;
  const run = async () => {
    while (!isOver) {
      await scheduler.runUntil(scheduler.now + 10, () => isOver);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  void run();
  return () => {
    isOver = true;
  };
}
