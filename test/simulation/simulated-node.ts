import type { Messages } from '../../src/cluster/messages.ts';
import { type Log, silentLog } from '../../src/observability/log.ts';
import { type LiveBus, localLiveBus } from '../../src/realtime/live-bus.ts';
import type { Network, SimulatedNode } from './network.ts';
import { simLiveBus } from './sim-live-bus.ts';
import { simMessages } from './sim-messages.ts';
import type { SimHost, World } from './world.ts';

/** Connects a process to the simulated network, for messages and live updates. */
export function openNode(
  world: World,
  host: SimHost,
  network: Network,
  log: Log = silentLog,
): { readonly messages: Messages; readonly liveBus: LiveBus } {
  const local = localLiveBus(log);
  const node: SimulatedNode = {
    host,
    isJoined: false,
    isClosed: false,
    receive: () => {},
    listeners: new Set(),
    members: [],
    receiveLive: (what, item) => {
      if (what === 'package') local.publishPackage(item);
      else if (what === 'order') local.publishOrder(item);
      else if (what === 'removed') local.publishRemoved(item);
      else local.publishQueue(item);
    },
  };
  network.add(node);
  return {
    messages: simMessages(world, network, node, log),
    liveBus: simLiveBus(network, node, local),
  };
}
