export interface TurnsOptions {
  /** How long a pass may go on at a stretch, in ms. */
  readonly turnMsMin: number;
  readonly turnMsMax: number;
  /** Resolves when the event loop had its turn. */
  readonly breathe: () => Promise<void>;
  /** ms on a clock that never jumps. */
  readonly steady: () => number;
}

/**
 * Shares the event loop between passes over thousands of viewers and all else. A pass goes on for as long as the
 * others took before it, within bounds: so purchases are never held up for long, and under load a pass is not drawn
 * out by them to many times its length.
 */
export class Turns {
  readonly #options: TurnsOptions;
  #endsAt = 0;

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  /** To be asked after each piece of work; when true, `pass` is to be awaited. */
  isOver(): boolean {
    return this.#options.steady() >= this.#endsAt;
  }

  /** Lets the others have their turn. */
  async pass(): Promise<void> {
    const { breathe, steady, turnMsMin, turnMsMax } = this.#options;
    const from = steady();
    await breathe();
    const now = steady();
    this.#endsAt = now + Math.min(Math.max(now - from, turnMsMin), turnMsMax);
  }
}
