import type { LoadResult, OpenLoop } from '../testbed.ts';
import { Connection, type Listener } from './connection.ts';
import {
  defaultLastAnswersMs,
  type LoopOptions,
  noAnswer,
  openingMax,
  openingMs,
  recordAnswer,
  sendTimeoutMs,
} from './loop.ts';
import { waitUntil } from './measured-window.ts';
import { Measurement } from './measurement.ts';
import { requestMakers } from './requests.ts';
import { Schedule } from './schedule.ts';
import { SendQueue } from './send-queue.ts';

/** Connections opened at the start; more are opened when none is free. */
const openedFirst = 64;

/**
 * Sends requests at their scheduled times, independent of the answers, and measures latencies from these times. This
 * way the requests that a stalled server delays count too (no coordinated omission). Rates and latencies are of the
 * requests scheduled in the window, including those answered after it.
 */
export async function openLoop(load: OpenLoop, tools: LoopOptions): Promise<LoadResult> {
  const { names, memory, watch, onEdge, lastAnswersMs = defaultLastAnswersMs } = tools;
  const origins = load.origins.map((origin) => new URL(origin));
  const makers = requestMakers(load, names, memory.bought);
  const { stages = [{ rate: load.rate, seconds: load.seconds }], timeline = false } = load;
  const schedule = new Schedule(stages, load.warmUpSeconds);
  const measurement = new Measurement({ stageEnds: schedule.ends, timeline });
  const { window } = measurement;
  const connections = new Set<Connection>();
  const idle: Connection[][] = origins.map(() => []);
  const waiting = new SendQueue();
  let isOffering = true;
  let isOver = false;
  let intended = 0;
  let underWay = 0;
  let opening = 0;

  const send = (connection: Connection, since: number) => {
    connection.since = since;
    underWay += 1;
    measurement.live.sent += 1;
    connection.send((makers[connection.originIndex] as () => string)());
  };
  const open = (originIndex: number) => {
    if (opening >= openingMax || connections.size >= load.connectionsMax) return;
    opening += 1;
    connections.add(new Connection(origins[originIndex] as URL, originIndex, listener));
  };
  const free = (connection: Connection) => {
    const next = isOver ? undefined : waiting.take();
    if (next === undefined) (idle[connection.originIndex] as Connection[]).push(connection);
    else send(connection, next);
  };
  const listener: Listener = {
    opened(connection) {
      opening -= 1;
      if (isOver) connection.end();
      else free(connection);
    },
    answered(connection, status, body) {
      underWay -= 1;
      recordAnswer({ measurement, memory }, connection, status, body);
      if (!connection.isClosing) free(connection);
    },
    closed(connection, reason) {
      connections.delete(connection);
      if (!connection.wasOpened) {
        opening -= 1;
        // Its request is still queued and may use another connection.
        measurement.failed(reason, performance.now());
        return;
      }
      if (!Number.isNaN(connection.since)) {
        underWay -= 1;
        measurement.failed(reason, connection.since);
        return;
      }
      const others = idle[connection.originIndex] as Connection[];
      const at = others.indexOf(connection);
      if (at >= 0) others.splice(at, 1);
    },
  };
  const dispatch = (since: number, originIndex: number) => {
    const connection = idle[originIndex]?.pop();
    if (connection !== undefined) return send(connection, since);
    waiting.add(since);
    open(originIndex);
  };
  const drop = (since: number) => measurement.dropped(since);
  const sendDue = (now: number) => {
    const { startedAt } = measurement;
    for (;;) {
      const next = schedule.takeBefore(now - startedAt);
      if (next === undefined) return;
      dispatch(startedAt + next, intended % origins.length);
      intended += 1;
    }
  };
  /** Sends all requests that are due, with one timer for each ms. */
  const tick = () => {
    if (isOver) return;
    const now = performance.now();
    if (isOffering) sendDue(now);
    waiting.dropBefore(now - sendTimeoutMs, drop);
    setTimeout(tick, 1);
  };

  for (let first = 0; first < openedFirst; first++) open(first % origins.length);
  await waitUntil(() => opening === 0, openingMs);
  measurement.startedAt = performance.now();
  tick();
  const stopWatching = watch?.(measurement);
  await window.pass(load.warmUpSeconds, load.seconds, onEdge);
  // Requests that a late timer has delayed were scheduled too.
  sendDue(window.end);
  isOffering = false;
  // Requests that wait for a connection get the usual timeout.
  await waitUntil(() => waiting.isEmpty, sendTimeoutMs);
  isOver = true;
  stopWatching?.();
  waiting.dropBefore(Number.POSITIVE_INFINITY, drop);
  await waitUntil(() => underWay === 0, lastAnswersMs);
  for (const connection of connections) {
    if (!Number.isNaN(connection.since)) measurement.failed(noAnswer, connection.since);
    connection.end();
  }
  return measurement.result();
}
