import { messagesContract } from '../contract/messages.ts';
import { Network } from './network.ts';
import { runningWorld } from './running-world.ts';
import { openStation } from './station.ts';
import { simHost } from './world.ts';

messagesContract('simulated', async () => {
  const { world, stop } = runningWorld('as the clock on the wall');
  const network = new Network(world);
  return {
    instance: (id) =>
      openStation(
        world,
        simHost(id, () => {}),
        network,
      ).messages,
    close: async () => stop(),
  };
});
