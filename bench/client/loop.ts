import type { BoughtOrders } from './bought-orders.ts';
import type { Connection } from './connection.ts';
import { answerName } from './load-counts.ts';
import type { Measurement } from './measurement.ts';
import { boughtIn, type UniqueNames } from './requests.ts';

export interface LoopOptions {
  readonly names: UniqueNames;
  readonly memory: BoughtOrders;
  /** Called when the load starts, with its measurement; the returned function is called at its end. */
  readonly watch?: (measurement: Measurement) => () => void;
  /** Called at the beginning and the end of the measured window. */
  readonly onEdge?: (edge: 'begin' | 'end') => void;
  /** How long to wait for the last answers after the window. */
  readonly lastAnswersMs?: number;
}

/**
 * The time after the window in which answers to its requests still count: longer than a server waits for an outcome.
 */
export const defaultLastAnswersMs = 12_000;
/** A request of an open loop is dropped when no connection is free for this long. */
export const sendTimeoutMs = 1_000;
/** Connections that are opened at the same time: more would overflow the server's backlog and retry seconds later. */
export const openingMax = 128;
export const openingMs = 5_000;
/** The reason of the error for requests without an answer in time. */
export const noAnswer = 'no answer';

/** Receives the results of requests. */
interface LoadRecords {
  readonly measurement: Measurement;
  readonly memory: BoughtOrders;
}

/** Records the result of the connection's request. */
export function recordAnswer(
  { measurement, memory }: LoadRecords,
  connection: Connection,
  status: number,
  body: Buffer,
): void {
  measurement.answered(connection.since, performance.now(), answerName(status, body));
  if (status === 201 && !memory.isFull) remember(memory, body);
  connection.since = Number.NaN;
}

function remember(memory: BoughtOrders, body: Buffer): void {
  const bought = boughtIn(body);
  if (bought !== undefined) memory.bought.push(bought);
}
