/** The limit right after a supplier has come back. */
const sizeFirst = 8;
/** The least size up to which the window grows fast. */
const thresholdMin = 64;
/** From this size on there is no limit: an instance never has more calls under way. */
const sizeMax = 1_024;

/**
 * Limits how many calls may be under way after a supplier was away: all waiting calls at once would overload it again.
 *
 * The limit starts low and doubles with every round of answers, up to half of the size that was too much. After that it
 * grows by one per round. It is halved when an answer is missing. This is slow start and congestion avoidance of TCP
 * (RFC 5681). There is no limit until the supplier has been away.
 */
export class CongestionWindow {
  #size = Number.POSITIVE_INFINITY;
  #threshold = Number.POSITIVE_INFINITY;
  #underWay = 0;

  /** How many more calls may begin. */
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

  /** The supplier is away: the limit is low when it comes back. */
  shut(): void {
    this.#threshold = Math.max(thresholdMin, Math.min(this.#size, this.#underWay) / 2);
    this.#size = sizeFirst;
  }
}
