import { leasesContract } from '../contract/leases.ts';
import { Dice } from './dice.ts';
import { noFaults } from './faults.ts';
import { keepRunning } from './keep-running.ts';
import { Scheduler } from './scheduler.ts';
import { LeaseCore, simLeases } from './sim-leases.ts';
import { simHost, World } from './world.ts';

const ttlMs = 200;

leasesContract('simulated', async () => {
  const world = new World(new Scheduler(), new Dice(1), noFaults);
  const core = new LeaseCore();
  const stop = keepRunning(world.scheduler);
  const of = (name: string) => simLeases({ world, host: simHost(name, () => {}), core, ttlMs });
  return { one: of('one'), other: of('other'), ttlMs, exclusive: true, close: async () => stop() };
});
