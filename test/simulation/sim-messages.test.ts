import { messagesContract } from '../contract/messages.ts';
import { Network } from './network.ts';
import { runningWorld } from './running-world.ts';
import { openNode } from './simulated-node.ts';
import { simHost } from './world.ts';

messagesContract('simulated', async () => {
  const { world, stop } = runningWorld('wall clock');
  const network = new Network(world);
  return {
    instance: (id) =>
      openNode(
        world,
        simHost(id, () => {}),
        network,
      ).messages,
    close: async () => stop(),
  };
});
