import type { Clock } from '../../lib/clock.ts';

/**
 * An estimate of Redis's clock (Cristian's algorithm, 1989). The true time lies between the time in a reply and that
 * time plus the duration of the call. An estimate inside these bounds is kept, so a slow reply does not worsen the
 * estimate.
 */
export class RedisTime {
  readonly #clock: Clock;
  /** Redis's time minus the monotonic clock. A jump of this machine's time does not change it. */
  #aheadMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#aheadMs = clock.now() - clock.monotonic();
  }

  /** The estimated time of Redis's clock, as Unix time in whole ms. */
  now(): number {
    return Math.round(this.#clock.monotonic() + this.#aheadMs);
  }

  /**
   * Corrects the estimate when a reply arrives.
   * @param redisNow the time in the reply.
   * @param askedAt when the call began, on the monotonic clock.
   */
  update(redisNow: number, askedAt: number): void {
    const atLeast = redisNow - this.#clock.monotonic();
    const atMost = redisNow + 1 - askedAt;
    this.#aheadMs = Math.min(Math.max(this.#aheadMs, atLeast), Math.max(atLeast, atMost));
  }
}
