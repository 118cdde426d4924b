import type { Clock } from '../../lib/clock.ts';

/**
 * An estimate of Redis's clock (Cristian's algorithm, 1989). The true time lies between the time in a reply and that
 * time plus the duration of the call. An estimate inside these bounds is kept, so a slow reply does not worsen the
 * estimate.
 */
export class RedisTime {
  readonly #clock: Clock;
  #aheadMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The estimated time of Redis's clock, as Unix time in ms. */
  now(): number {
    return this.#clock.now() + this.#aheadMs;
  }

  /**
   * Corrects the estimate when a reply arrives.
   * @param redisNow the time in the reply.
   * @param askedAt the local time at which the call began.
   */
  update(redisNow: number, askedAt: number): void {
    const atLeast = redisNow - this.#clock.now();
    const atMost = redisNow + 1 - askedAt;
    this.#aheadMs = Math.min(Math.max(this.#aheadMs, atLeast), Math.max(atLeast, atMost));
  }
}
