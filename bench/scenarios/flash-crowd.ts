import { spawnProgram } from '../client/spawn.ts';
import type { LoadResult } from '../stage.ts';

export interface CrowdWish {
  readonly origin: string;
  readonly packageId: number;
  /** Each with a connection, an email and an Idempotency-Key of its own. */
  readonly buyers: number;
  /** Who has no answer then is lost. */
  readonly patienceMs: number;
}

export interface CrowdResult {
  readonly load: LoadResult;
  /** How long it took to hand all requests to the system: the crowd cannot be faster. */
  readonly allSentMs: number;
  readonly allAnsweredMs: number;
  /** Turned away without an order. */
  readonly refused: number;
  /** Of those, within 100 ms of the instant in which all began to send. */
  readonly promptlyRefused: number;
  /** Without an answer. */
  readonly lost: number;
}

/**
 * Has a crowd buy in the same instant, in a process of its own.
 * @param under what runs it: `['taskset', '-c', '1']`, or nothing.
 */
export function sendCrowd(wish: CrowdWish, under: readonly string[]): Promise<CrowdResult> {
  const child = spawnProgram(new URL('flash-crowd-program.ts', import.meta.url), under);
  return new Promise((resolve, reject) => {
    child.once('message', (result) => resolve(result as CrowdResult));
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the crowd ended without a result (exit code ${code})`)));
    child.send(wish);
  });
}
