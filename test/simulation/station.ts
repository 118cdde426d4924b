import type { Messages } from '../../src/cluster/messages.ts';
import { type Log, silentLog } from '../../src/observability/log.ts';
import { localLiveBus } from '../../src/realtime/bus/local.ts';
import type { LiveBus } from '../../src/realtime/live-bus.ts';
import type { Network, Station } from './network.ts';
import { simLiveBus } from './sim-live-bus.ts';
import { simMessages } from './sim-messages.ts';
import type { SimHost, World } from './world.ts';

/** Gives a process its place in the network: requests, answers, who is there, and live news. */
export function openStation(
  world: World,
  host: SimHost,
  network: Network,
  log: Log = silentLog,
): { readonly messages: Messages; readonly liveBus: LiveBus } {
  const local = localLiveBus(log);
  const station: Station = {
    host,
    isJoined: false,
    isClosed: false,
    take: () => {},
    listeners: new Set(),
    members: [],
    hear: (what, item) => {
      if (what === 'package') local.publishPackage(item);
      else if (what === 'order') local.publishOrder(item);
      else if (what === 'removed') local.publishRemoved(item);
      else local.publishLine(item);
    },
  };
  network.enter(station);
  return {
    messages: simMessages(world, network, station, log),
    liveBus: simLiveBus(network, station, local),
  };
}
