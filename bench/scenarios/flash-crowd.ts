import { spawnProgram } from '../client/spawn.ts';
import type { LoadResult } from '../testbed.ts';

export interface CrowdParams {
  readonly origin: string;
  readonly packageId: number;
  /** Each buyer has its own connection, email and idempotency key. */
  readonly buyers: number;
  /** Buyers without an answer after this time count as lost. */
  readonly timeoutMs: number;
}

export interface CrowdResult {
  readonly load: LoadResult;
  /** The time that handing over all requests to the system took: a lower bound for `allAnsweredMs`. */
  readonly allSentMs: number;
  readonly allAnsweredMs: number;
  /** Refused without an order. */
  readonly refused: number;
  /** Refusals within 100 ms of the first send. */
  readonly promptlyRefused: number;
  /** Buyers without an answer. */
  readonly lost: number;
}

/**
 * Runs a crowd that buys at one instant, in a process of its own.
 * @param under the command that runs it, such as `['taskset', '-c', '1']`; may be empty.
 */
export function sendCrowd(params: CrowdParams, under: readonly string[]): Promise<CrowdResult> {
  const child = spawnProgram(new URL('flash-crowd-program.ts', import.meta.url), under);
  return new Promise((resolve, reject) => {
    child.once('message', (result) => resolve(result as CrowdResult));
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the crowd ended without a result (exit code ${code})`)));
    child.send(params);
  });
}
