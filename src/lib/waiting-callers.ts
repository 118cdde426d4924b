import type { AbortState } from './abort.ts';

interface Caller<T> {
  readonly isUrgent: boolean;
  readonly resolve: (turn: T) => void;
  hasLeft: boolean;
}

/** The array is cut once so many of its first elements, and half of all, are used up. */
const usedMax = 1_024;

/**
 * Callers that wait for their turn. Urgent callers go first, the latest of them before the others. The rest follow in the
 * order of their arrival. A caller whose signal aborts leaves.
 */
export class WaitingCallers<T> {
  /** Elements before `#first` are used up. Callers that have left are skipped later: removing them would be slow. */
  #callers: Caller<T>[] = [];
  #first = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Whether the next caller is urgent. */
  get isNextUrgent(): boolean {
    return this.#next()?.isUrgent === true;
  }

  /** Resolves with the value that {@link admit} is given. @throws the signal's reason when it aborts. */
  wait(signal: AbortState, isUrgent = false): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const leave = () => {
      caller.hasLeft = true;
      this.#size -= 1;
      reject(signal.reason);
    };
    const admitted = (turn: T) => {
      signal.removeEventListener('abort', leave);
      resolve(turn);
    };
    const caller: Caller<T> = { isUrgent, resolve: admitted, hasLeft: false };
    if (signal.aborted) return Promise.reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
    if (isUrgent) this.#callers.splice(this.#first, 0, caller);
    else this.#callers.push(caller);
    this.#size += 1;
    return promise;
  }

  /** Ends the wait of the next caller. False if nobody waits. */
  admit(turn: T): boolean {
    const caller = this.#next();
    if (caller === undefined) return false;
    this.#first += 1;
    this.#size -= 1;
    this.#cut();
    caller.resolve(turn);
    return true;
  }

  #next(): Caller<T> | undefined {
    while (this.#callers[this.#first]?.hasLeft === true) this.#first += 1;
    return this.#callers[this.#first];
  }

  #cut(): void {
    const isEmpty = this.#first === this.#callers.length;
    if (!isEmpty && (this.#first < usedMax || this.#first * 2 < this.#callers.length)) return;
    this.#callers.splice(0, this.#first);
    this.#first = 0;
  }
}
