import { Dice } from './dice.ts';
import { noFaults } from './faults.ts';
import { Scheduler } from './scheduler.ts';
import { World } from './world.ts';

/** A world without faults whose time passes as fast as it can, for tests that know nothing of it. */
export function runningWorld(): { readonly world: World; readonly stop: () => void } {
  const scheduler = new Scheduler();
  let isOver = false;
  const run = async () => {
    while (!isOver) {
      await scheduler.runUntil(scheduler.now + 10, () => isOver);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  void run();
  const stop = () => {
    isOver = true;
  };
  return { world: new World(scheduler, new Dice(1), noFaults), stop };
}
