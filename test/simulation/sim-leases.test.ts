import { leasesContract } from '../contract/leases.ts';
import { runningWorld } from './running-world.ts';
import { LeaseCore, simLeases } from './sim-leases.ts';
import { simHost } from './world.ts';

const ttlMs = 200;

leasesContract('simulated', async () => {
  const { world, stop } = runningWorld('wall clock');
  const core = new LeaseCore();
  const of = (name: string) => simLeases({ world, host: simHost(name, () => {}), core, ttlMs });
  return { one: of('one'), other: of('other'), ttlMs, close: async () => stop() };
});
