/** The names of work that is running. Several works may have the same name. */
export class UnderWay {
  readonly #counts = new Map<string, number>();

  has(name: string): boolean {
    return this.#counts.has(name);
  }

  /** Runs the work. Its name counts as under way until the work settles. Settles as the work does. */
  async during<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    const leave = this.enter(name);
    try {
      return await work();
    } finally {
      leave();
    }
  }

  /** Counts the name as under way until the returned function is called. Call that function once. */
  enter(name: string): () => void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    return () => {
      const others = (this.#counts.get(name) ?? 1) - 1;
      if (others === 0) this.#counts.delete(name);
      else this.#counts.set(name, others);
    };
  }
}
