import type { LiveBus, LiveListener } from '../../src/realtime/live-bus.ts';
import type { Network, SimulatedNode } from './network.ts';

/** The live bus of one process. It delivers to local listeners at once, and to other processes over the network. */
export function simLiveBus(network: Network, { host }: SimulatedNode, local: LiveBus): LiveBus {
  let isClosed = false;

  function tellOthers(what: keyof LiveListener, item: unknown): void {
    if (isClosed) return;
    for (const other of network.otherNodes(host.name)) {
      network.send(host, other, `news to ${other}`, ({ receiveLive }) => receiveLive(what, item as never));
    }
  }

  return {
    publishPackage(snapshot) {
      local.publishPackage(snapshot);
      tellOthers('package', snapshot);
    },
    publishRemoved(packageId) {
      local.publishRemoved(packageId);
      tellOthers('removed', packageId);
    },
    publishOrder(order) {
      local.publishOrder(order);
      tellOthers('order', order);
    },
    publishQueue(line) {
      local.publishQueue(line);
      tellOthers('queue', line);
    },
    subscribe: (listener) => local.subscribe(listener),
    async close() {
      isClosed = true;
      await local.close();
    },
  };
}
