import { storeContract } from '../contract/store.ts';
import { Dice } from './dice.ts';
import { noFaults } from './faults.ts';
import { keepRunning } from './keep-running.ts';
import { Scheduler } from './scheduler.ts';
import { StoreCore, simStore } from './sim-store.ts';
import { simHost, World } from './world.ts';

storeContract('simulated', async () => {
  const world = new World(new Scheduler(), new Dice(1), noFaults);
  const host = simHost('one', () => {});
  const core = new StoreCore();
  const stop = keepRunning(world.scheduler);
  return {
    store: simStore(world, host, core, () => false),
    reopen: async () => simStore(world, host, core, () => false),
    close: async () => stop(),
  };
});
