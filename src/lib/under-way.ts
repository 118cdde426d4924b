/** The names of work that is under way. A name may be under way several times. */
export class UnderWay {
  readonly #counts = new Map<string, number>();

  has(name: string): boolean {
    return this.#counts.has(name);
  }

  /** Does the work with the name under way. Settles as the work does. */
  async during<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    const leave = this.enter(name);
    try {
      return await work();
    } finally {
      leave();
    }
  }

  /** Puts the name under way until the function that it returns is called, once. */
  enter(name: string): () => void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    return () => {
      const others = (this.#counts.get(name) ?? 1) - 1;
      if (others === 0) this.#counts.delete(name);
      else this.#counts.set(name, others);
    };
  }
}
