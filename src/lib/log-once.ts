/** Logs a recurring problem only once, until the problem changes or ends. */
export class LogOnce {
  #logged: string | undefined;

  /** Calls `log`, unless the last logged problem is the same. */
  report(problem: string, log: () => void): void {
    if (problem === this.#logged) return;
    this.#logged = problem;
    log();
  }

  /**
   * Ends the problem, so that the next one is logged even if it is the same. Returns whether a problem had been logged.
   */
  end(): boolean {
    const wasLogged = this.#logged !== undefined;
    this.#logged = undefined;
    return wasLogged;
  }
}
