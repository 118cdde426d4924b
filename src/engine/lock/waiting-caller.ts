import type { OrderAnswer } from '../../domain/messages.ts';
import type { Clock } from '../../lib/clock.ts';
import { refused } from '../commands.ts';

/**
 * A caller in front of a lock. It is answered once: by whom it waits for, or with `overloaded` when its patience
 * ends before its turn has come. From its turn on it waits for as long as it takes, so that nobody is told that
 * nothing was stored while something is.
 */
export class WaitingCaller {
  readonly answer: Promise<OrderAnswer>;
  readonly #resolve: (answer: OrderAnswer) => void;
  readonly #reject: (error: unknown) => void;
  readonly #patience = new AbortController();
  #isServed = false;
  #isOver = false;

  /** @param gone aborts when the caller has hung up and nobody would ever ask for the outcome. */
  constructor(clock: Clock, timeoutMs: number, gone?: AbortSignal) {
    const { promise, resolve, reject } = Promise.withResolvers<OrderAnswer>();
    this.answer = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    const giveUp = () => {
      if (!this.#isServed) this.reply(refused('overloaded'));
    };
    if (gone?.aborted === true) giveUp();
    gone?.addEventListener('abort', giveUp, { signal: this.#patience.signal });
    void clock.sleep(timeoutMs, this.#patience.signal).then(giveUp);
  }

  /** Whether it has its answer. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Its turn has come. False when it is too late: nothing must be stored for it. */
  serve(): boolean {
    if (!this.#isOver) this.#isServed = true;
    return this.#isServed;
  }

  reply(answer: OrderAnswer): void {
    this.#end();
    this.#resolve(answer);
  }

  fail(error: unknown): void {
    this.#end();
    this.#reject(error);
  }

  #end(): void {
    this.#isOver = true;
    this.#patience.abort();
  }
}
