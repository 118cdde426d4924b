import type { Connection } from './connection.ts';
import type { Measurement } from './measurement.ts';
import type { Memory } from './memory.ts';
import { boughtIn, type Names } from './requests.ts';
import { answerName } from './tally.ts';

export interface Tools {
  readonly names: Names;
  readonly memory: Memory;
  /** Watches a load while it runs; returns what ends that. */
  readonly watch?: (measurement: Measurement) => () => void;
  /** Called when what is measured begins and ends. */
  readonly onEdge?: (edge: 'begin' | 'end') => void;
  /** How long the last answers are waited for, after the window. */
  readonly lastAnswersMs?: number;
}

/**
 * The grace after the window, in which the answers to its last requests are waited for and count: longer than a server
 * waits for an outcome.
 */
export const defaultLastAnswersMs = 12_000;
/** A request of an open loop that found no free connection for so long is dropped. */
export const sendTimeoutMs = 1_000;
/** More connections at the same time would meet a full backlog of the server, and try again seconds later. */
export const openingMax = 128;
export const openingMs = 5_000;
/** Why a request counts as an error that was still under way when its answer was waited for no longer. */
export const noAnswer = 'no answer';

/** What answers are written down in. */
interface Notes {
  readonly measurement: Measurement;
  readonly memory: Memory;
}

/** Notes what became of the connection's request, which is over then. */
export function noteAnswer(
  { measurement, memory }: Notes,
  connection: Connection,
  status: number,
  body: Buffer,
): void {
  measurement.answered(connection.since, performance.now(), answerName(status, body));
  if (status === 201 && !memory.isFull) remember(memory, body);
  connection.since = Number.NaN;
}

function remember(memory: Memory, body: Buffer): void {
  const bought = boughtIn(body);
  if (bought !== undefined) memory.bought.push(bought);
}
