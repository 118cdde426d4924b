/** Logs a problem that occurs again and again once, until it changes or ends. */
export class LogOnce {
  #logged: string | undefined;

  /** Calls `log` unless the same problem was the last one to be logged. */
  report(problem: string, log: () => void): void {
    if (problem === this.#logged) return;
    this.#logged = problem;
    log();
  }

  /** The problem is over: the next one is logged, also the same. Returns whether one had been logged. */
  end(): boolean {
    const wasLogged = this.#logged !== undefined;
    this.#logged = undefined;
    return wasLogged;
  }
}
