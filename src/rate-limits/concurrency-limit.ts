/** Limits how many connections or similar things each client has at the same time. */
export class ConcurrencyLimit {
  readonly #max: number;
  readonly #counts = new Map<string, number>();

  /** @param max the most at the same time. 0 means no limit, and nothing is counted. */
  constructor(max: number) {
    this.#max = max;
  }

  /**
   * Counts one more for the client. Returns a function that counts one less, which is safe to call repeatedly. Returns
   * undefined at the limit.
   */
  take(client: string): (() => void) | undefined {
    if (this.#max === 0) return () => {};
    const count = this.#counts.get(client) ?? 0;
    if (count >= this.#max) return undefined;
    this.#counts.set(client, count + 1);
    let isTaken = true;
    return () => {
      if (isTaken) this.#giveBack(client);
      isTaken = false;
    };
  }

  /** The number of clients whose count is above 0. */
  get clients(): number {
    return this.#counts.size;
  }

  #giveBack(client: string): void {
    const left = (this.#counts.get(client) ?? 1) - 1;
    if (left === 0) this.#counts.delete(client);
    else this.#counts.set(client, left);
  }
}
