import { storeContract } from '../contract/store.ts';
import { runningWorld } from './running-world.ts';
import { StoreCore, simStore } from './sim-store.ts';
import { simHost } from './world.ts';

storeContract('simulated', async () => {
  const { world, stop } = runningWorld();
  const host = simHost('one', () => {});
  const core = new StoreCore();
  return {
    store: simStore(world, host, core, () => false),
    reopen: async () => simStore(world, host, core, () => false),
    spoil: async (id, how) => core.spoil(id, how),
    close: async () => stop(),
  };
});
