import { liveBusContract } from '../contract/live-bus.ts';
import { Network } from './network.ts';
import { runningWorld } from './running-world.ts';
import { openNode } from './simulated-node.ts';
import { simHost } from './world.ts';

liveBusContract('simulated', async () => {
  const { world, stop } = runningWorld();
  const network = new Network(world);
  const endOf = (name: string) =>
    openNode(
      world,
      simHost(name, () => {}),
      network,
    ).liveBus;
  const subscriber = endOf('subscriber');
  const close = async () => {
    await subscriber.close();
    stop();
  };
  return { publisher: endOf('publisher'), subscriber: { ...subscriber, close } };
});
