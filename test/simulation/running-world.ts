import { noFaults } from './faults.ts';
import { Prng } from './prng.ts';
import { Scheduler } from './scheduler.ts';
import { World } from './world.ts';

/** Whether simulated time runs as fast as possible, or with the wall clock for tests that sleep. */
export type Pace = 'fast' | 'wall clock';

const tickMs = 10;

/** A world without faults whose time runs by itself. */
export function runningWorld(pace: Pace = 'fast'): {
  readonly world: World;
  readonly stop: () => void;
} {
  const scheduler = new Scheduler();
  const beganAt = performance.now();
  let isOver = false;
  const run = async () => {
    while (!isOver) {
      const end = pace === 'fast' ? scheduler.now + tickMs : performance.now() - beganAt;
      await scheduler.runUntil(end, () => isOver);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  void run();
  const stop = () => {
    isOver = true;
  };
  return { world: new World(scheduler, new Prng(1), noFaults), stop };
}
