import { errorKind } from '../../src/domain/errors.ts';
import { Prng } from '../simulation/prng.ts';
import type { FuzzedServer } from './fuzzed-server.ts';
import { httpInput } from './http-inputs.ts';
import { sendRaw } from './raw-connection.ts';
import type { RawInput } from './raw-input.ts';
import { socketInput } from './socket-inputs.ts';

export interface RawFuzz {
  /** The seed of the first input; each further input has the next seed. */
  readonly seed: number;
  readonly inputs: number;
  /** Concurrent connections. */
  readonly connections?: number;
  readonly onProgress?: (done: number) => void;
  /** Aborting ends the run and returns the failures so far. */
  readonly stop?: AbortSignal;
}

export interface RawFailure {
  /** The seed that generates this input again. */
  readonly seed: number;
  readonly why: string;
  readonly what: string;
  /** The writes in hex. */
  readonly hex: readonly string[];
}

export interface RawReport {
  readonly inputs: number;
  /** Answers by status. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly failures: readonly RawFailure[];
  readonly seconds: number;
}

const connectionsAtOnce = 96;
const failuresMax = 20;

/** The input of a seed: two thirds are for HTTP, one third for the live socket. */
export function rawInput(seed: number): RawInput {
  const prng = new Prng(seed);
  return prng.chance(0.66) ? httpInput(prng) : socketInput(prng);
}

/**
 * Sends broken bytes over many concurrent connections. The server must not end, leave a connection open, or answer 5xx
 * except when it is overloaded.
 */
export async function fuzzRaw(
  server: Pick<FuzzedServer, 'port' | 'isRunning'>,
  options: RawFuzz,
): Promise<RawReport> {
  const { seed: first, inputs, connections = connectionsAtOnce, onProgress, stop } = options;
  const statuses: Record<string, number> = {};
  const failures: RawFailure[] = [];
  const startedAt = performance.now();
  let next = 0;
  let done = 0;
  const work = async () => {
    while (next < inputs && failures.length < failuresMax && server.isRunning && !stop?.aborted) {
      const seed = first + next++;
      const input = rawInput(seed);
      const { answer, hangs } = await sendRaw(server.port, input);
      for (const status of statusesIn(answer)) statuses[status] = (statuses[status] ?? 0) + 1;
      const why = hangs ? 'the connection stays open' : wrongIn(answer);
      if (why !== undefined) failures.push(failureOf(seed, input, why));
      done += 1;
      onProgress?.(done);
    }
  };
  await Promise.all(Array.from({ length: connections }, work));
  if (!server.isRunning)
    failures.push(failureOf(first + next - 1, rawInput(first + next - 1), 'the server ended'));
  return { inputs: next, statuses, failures, seconds: (performance.now() - startedAt) / 1000 };
}

const statusLine = /^HTTP\/1\.[01] (\d{3}) /gm;

function statusesIn(answer: Buffer): string[] {
  return [...answer.toString('latin1').matchAll(statusLine)].map((match) => match[1] as string);
}

/**
 * Every refusal must be a problem or a page. A 5xx must be `overloaded`, because no input may cause another server
 * error.
 */
function wrongIn(answer: Buffer): string | undefined {
  const text = answer.toString('latin1');
  for (const match of text.matchAll(statusLine)) {
    const status = Number(match[1]);
    if (status < 400) continue;
    const [head = '', body = ''] = text.slice(match.index).split('\r\n\r\n', 2);
    const isTold = /^content-type: (application\/problem\+json|text\/html)/im.test(head);
    if (!isTold || (status >= 500 && !saysOverloaded(body)))
      return `answered ${head} | ${body.slice(0, 2000)}`;
  }
  return undefined;
}

/** As a problem, or as text on a page. */
function saysOverloaded(body: string): boolean {
  return body.includes('"code":"overloaded"') || body.includes(errorKind('overloaded').words);
}

function failureOf(seed: number, { what, writes }: RawInput, why: string): RawFailure {
  return { seed, why, what, hex: writes.map((bytes) => bytes.toString('hex')) };
}
