import { type Log, silentLog } from '../../observability/log.ts';
import type { LiveBus, LiveListener } from '../live-bus.ts';

/**
 * The live bus of a single process: what is published is heard before `publish…` returns. A listener that throws
 * is logged and harms neither the publisher nor the other listeners.
 */
export function localLiveBus(log: Log = silentLog): LiveBus {
  const listeners = new Set<LiveListener>();

  function tell(hear: (listener: LiveListener) => void): void {
    for (const listener of listeners) {
      try {
        hear(listener);
      } catch (error) {
        log.error({ err: error }, 'A listener of the live bus failed.');
      }
    }
  }

  return {
    publishPackage: (snapshot) => tell((listener) => listener.package?.(snapshot)),
    publishRemoved: (packageId) => tell((listener) => listener.removed?.(packageId)),
    publishOrder: (order) => tell((listener) => listener.order?.(order)),
    publishQueue: (line) => tell((listener) => listener.queue?.(line)),
    subscribe(listener) {
      // A wrapper of its own, so that the same listener may subscribe twice and leave once.
      const own = { ...listener };
      listeners.add(own);
      return () => {
        listeners.delete(own);
      };
    },
    async close() {
      listeners.clear();
    },
  };
}
