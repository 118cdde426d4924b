import type { ClosedLoop, LoadResult } from '../testbed.ts';
import { Connection, type Listener } from './connection.ts';
import {
  defaultLastAnswersMs,
  type LoopOptions,
  noAnswer,
  openingMax,
  openingMs,
  recordAnswer,
} from './loop.ts';
import { waitUntil } from './measured-window.ts';
import { Measurement } from './measurement.ts';
import { requestMakers } from './requests.ts';

/** Wait before a refused connection is opened again. */
const reconnectMs = 20;

/**
 * Each caller sends its next request after its last answer, which finds the ceiling. Rates and latencies are of the
 * requests sent in the window, including those answered after it.
 */
export async function closedLoop(load: ClosedLoop, tools: LoopOptions): Promise<LoadResult> {
  const { names, memory, watch, onEdge, lastAnswersMs = defaultLastAnswersMs } = tools;
  const origins = load.origins.map((origin) => new URL(origin));
  const makers = requestMakers(load, names, memory.bought);
  const measurement = new Measurement({ timeline: load.timeline ?? false });
  const { window } = measurement;
  const connections = new Set<Connection>();
  let isOver = false;
  let underWay = 0;
  let opened = 0;

  const send = (connection: Connection) => {
    connection.since = performance.now();
    underWay += 1;
    measurement.live.sent += 1;
    connection.send((makers[connection.originIndex] as () => string)());
  };
  const open = (originIndex: number) => {
    connections.add(new Connection(origins[originIndex] as URL, originIndex, listener));
  };
  const listener: Listener = {
    opened(connection) {
      opened += 1;
      if (isOver) connection.end();
      else send(connection);
    },
    answered(connection, status, body) {
      underWay -= 1;
      recordAnswer({ measurement, memory }, connection, status, body);
      if (!isOver && !connection.isClosing) send(connection);
    },
    closed(connection, reason) {
      connections.delete(connection);
      const { since, isClosing } = connection;
      const isUnderWay = !Number.isNaN(since);
      if (isUnderWay) underWay -= 1;
      if (!isClosing) measurement.failed(reason, isUnderWay ? since : performance.now());
      if (!isOver) setTimeout(() => isOver || open(connection.originIndex), reconnectMs);
    },
  };

  for (let caller = 0; caller < load.callers; caller++) {
    if (caller - opened >= openingMax) await waitUntil(() => caller - opened < openingMax, openingMs);
    open(caller % origins.length);
  }
  const stopWatching = watch?.(measurement);
  await window.pass(load.warmUpSeconds, load.seconds, onEdge);
  isOver = true;
  stopWatching?.();
  await waitUntil(() => underWay === 0, lastAnswersMs);
  for (const connection of connections) {
    // A request of the warm-up that still has no answer has blocked its caller, so it counts as an error of the window.
    if (!Number.isNaN(connection.since))
      measurement.failed(noAnswer, Math.max(connection.since, window.start));
    connection.end();
  }
  return measurement.result();
}
