/** Calls that may be under way when a supplier has just come back. */
const sizeFirst = 8;
/** Growing fast up to here is never too much. */
const thresholdMin = 64;
/** From here on there is no limit: nobody has more under way. */
const sizeMax = 1_024;

/**
 * How many calls may be under way at once, after a supplier was away: few at first, twice as many with every round
 * that is answered up to half of what was too much, then one more per round; half as many when an answer stays away
 * (slow start and congestion avoidance, RFC 5681). All who have waited would be too much for it again, and it would
 * never come back. No limit until it has been away.
 */
export class CongestionWindow {
  #size = Number.POSITIVE_INFINITY;
  #threshold = Number.POSITIVE_INFINITY;
  #underWay = 0;

  /** How many more may begin. */
  get room(): number {
    return Math.max(0, Math.floor(this.#size) - this.#underWay);
  }

  begun(): void {
    this.#underWay += 1;
  }

  ended(): void {
    this.#underWay -= 1;
  }

  answered(): void {
    if (this.#size === Number.POSITIVE_INFINITY) return;
    this.#size += this.#size < this.#threshold ? 1 : 1 / this.#size;
    if (this.#size >= sizeMax) this.#size = Number.POSITIVE_INFINITY;
  }

  unanswered(): void {
    if (this.#size === Number.POSITIVE_INFINITY) return;
    this.#threshold = Math.max(sizeFirst, this.#size / 2);
    this.#size = this.#threshold;
  }

  /** The supplier is away. */
  shut(): void {
    this.#threshold = Math.max(thresholdMin, Math.min(this.#size, this.#underWay) / 2);
    this.#size = sizeFirst;
  }
}
