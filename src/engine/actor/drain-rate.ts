/** How much the newest batch says of the rate. */
const weight = 0.3;

export interface DrainRateOptions {
  /** The most messages one commit takes. */
  readonly batchMax: number;
  /** Who would wait longer than this, in ms, is turned away. */
  readonly shedAfterMs: number;
}

/**
 * How fast a mailbox is emptied by commits, and so how long its newest message has to wait. Only batches that are
 * large tell: a single message takes nearly as long. Times are ms since the epoch.
 *
 *     unknown ──a large batch is committed──► known ──nothing committed for a while, or it failed──► unknown
 *
 * While the rate is unknown nobody is turned away: after a takeover, while the store is away, on a package that is
 * hardly asked for.
 */
export class DrainRate {
  readonly #batchMax: number;
  readonly #shedAfterMs: number;
  /** Messages per ms; 0: unknown. */
  #rate = 0;
  #knownUntil = 0;

  constructor({ batchMax, shedAfterMs }: DrainRateOptions) {
    this.#batchMax = batchMax;
    this.#shedAfterMs = shedAfterMs;
  }

  /** So many messages were committed between these moments. */
  committed(messages: number, from: number, to: number): void {
    if (messages * 2 < this.#batchMax) return;
    const tookMs = Math.max(1, to - from);
    const rate = messages / tookMs;
    this.#rate = this.#isKnown(to) ? this.#rate + weight * (rate - this.#rate) : rate;
    // A store that is slow says so seldom.
    this.#knownUntil = to + Math.max(this.#shedAfterMs, 2 * tookMs);
  }

  /** Nothing is committed any more for now. */
  forget(): void {
    this.#rate = 0;
  }

  /** Whether who comes behind so many messages would wait too long. What keeps the next commits full is always taken. */
  isTooLong(messages: number, now: number): boolean {
    if (messages < 2 * this.#batchMax || !this.#isKnown(now)) return false;
    return messages > this.#rate * this.#shedAfterMs;
  }

  #isKnown(now: number): boolean {
    return this.#rate > 0 && now < this.#knownUntil;
  }
}
