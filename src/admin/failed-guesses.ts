import type { Clock } from '../lib/clock.ts';

export interface FailedGuessesOptions {
  readonly clock: Clock;
  /** How many wrong guesses a client may make in a window. Default 10. */
  readonly guessesMax?: number;
  readonly windowMs?: number;
  /** How many clients are remembered. Beyond that, the client whose window began first is forgotten. */
  readonly clientsMax?: number;
}

interface Guesses {
  count: number;
  /** End of the window, as Unix time in ms. */
  readonly until: number;
}

/** Counts wrong tokens by client, so that nobody can try many. Each instance has its own counts. */
export class FailedGuesses {
  readonly #clock: Clock;
  readonly #guessesMax: number;
  readonly #windowMs: number;
  readonly #clientsMax: number;
  readonly #byClient = new Map<string, Guesses>();

  constructor({ clock, guessesMax = 10, windowMs = 60_000, clientsMax = 10_000 }: FailedGuessesOptions) {
    this.#clock = clock;
    this.#guessesMax = guessesMax;
    this.#windowMs = windowMs;
    this.#clientsMax = clientsMax;
  }

  /** Whole seconds until a client may guess again; 0 if it may now. */
  waitS(client: string): number {
    const guesses = this.#current(client);
    if (guesses === undefined || guesses.count < this.#guessesMax) return 0;
    return Math.max(1, Math.ceil((guesses.until - this.#clock.monotonic()) / 1_000));
  }

  failed(client: string): void {
    const guesses = this.#current(client);
    if (guesses !== undefined) {
      guesses.count += 1;
      return;
    }
    this.#byClient.set(client, { count: 1, until: this.#clock.monotonic() + this.#windowMs });
    if (this.#byClient.size <= this.#clientsMax) return;
    for (const oldest of this.#byClient.keys()) {
      this.#byClient.delete(oldest);
      return;
    }
  }

  #current(client: string): Guesses | undefined {
    const guesses = this.#byClient.get(client);
    if (guesses === undefined || this.#clock.monotonic() < guesses.until) return guesses;
    this.#byClient.delete(client);
    return undefined;
  }
}
