import { clientsNow } from './clock.ts';
import type { FaultEntry } from './history.ts';

const tickMs = 100;
/** A shorter stall is no fault: the checker allows for it. */
const stallMs = 1_000;

/**
 * Reports each time in which this process did not run, as a fault of the test: it carries all links of the cluster, and the
 * clients.
 * @returns ends the watch
 */
export function watchStalls(onStall: (stall: FaultEntry) => void): () => void {
  let last = clientsNow();
  const timer = setInterval(() => {
    const now = clientsNow();
    if (now - last > stallMs)
      onStall({ kind: 'fault', at: last, until: now, fault: 'stall', target: 'test' });
    last = now;
  }, tickMs);
  return () => clearInterval(timer);
}
