import type { Json } from '../../lib/json.ts';
import { NoAnswerError } from '../messages.ts';

interface Ask {
  readonly resolve: (answer: Json) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** Requests that wait for their answers, by id. */
export class PendingRequests {
  readonly #waiting = new Map<string, Ask>();

  has(id: string): boolean {
    return this.#waiting.has(id);
  }

  /** @throws NoAnswerError when the time is up. */
  wait(id: string, timeoutMs: number): Promise<Json> {
    return new Promise((resolve, reject) => {
      const late = () => this.fail(id, new NoAnswerError(`no answer within ${timeoutMs} ms`));
      this.#waiting.set(id, { resolve, reject, timer: setTimeout(late, timeoutMs) });
    });
  }

  /** An answer that nobody waits for any more is nothing. */
  answer(id: string, body: Json): void {
    this.#end(id)?.resolve(body);
  }

  fail(id: string, error: Error): void {
    this.#end(id)?.reject(error);
  }

  failAll(error: Error): void {
    for (const id of [...this.#waiting.keys()]) this.fail(id, error);
  }

  #end(id: string): Ask | undefined {
    const ask = this.#waiting.get(id);
    if (ask === undefined) return undefined;
    this.#waiting.delete(id);
    clearTimeout(ask.timer);
    return ask;
  }
}
