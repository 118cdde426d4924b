import type { Random } from './random.ts';

export interface BackoffOptions {
  /** The pause after the first failure, in ms. */
  readonly firstMs: number;
  readonly maxMs: number;
  /** The factor by which each pause is longer than the pause before; default 2. */
  readonly factor?: number;
  /** The share of a pause that is random, from 0 to 1, so that callers do not retry in step; default 0. */
  readonly jitter?: number;
}

/**
 * The pause before the next attempt, in ms. The pause grows exponentially up to `maxMs`.
 * @param failures how many attempts in a row have failed, from 1.
 * @param random is asked only if there is a jitter.
 */
export function backoffMs(
  failures: number,
  options: BackoffOptions,
  random?: Pick<Random, 'fraction'>,
): number {
  const { firstMs, maxMs, factor = 2, jitter = 0 } = options;
  const pauseMs = Math.min(firstMs * factor ** (failures - 1), maxMs);
  return jitter === 0 || random === undefined ? pauseMs : pauseMs * (1 - jitter * random.fraction());
}
