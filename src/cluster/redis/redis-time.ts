import type { Clock } from '../../lib/clock.ts';

/**
 * Redis's clock, as far as it can be told from here (Cristian, 1989): the truth lies between what an answer said and
 * what has gone by since it was asked for. The last guess is kept as long as it lies within; a slow answer spoils
 * nothing.
 */
export class RedisTime {
  readonly #clock: Clock;
  #aheadMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** ms since the epoch. */
  now(): number {
    return this.#clock.now() + this.#aheadMs;
  }

  /** @param askedAt local time at which Redis was asked; it has just answered. */
  update(redisNow: number, askedAt: number): void {
    const atLeast = redisNow - this.#clock.now();
    const atMost = redisNow + 1 - askedAt;
    this.#aheadMs = Math.min(Math.max(this.#aheadMs, atLeast), Math.max(atLeast, atMost));
  }
}
