import { StoreUnavailableError } from '../store.ts';

export interface GroupedOptions<In, Out> {
  /** Gives one result per item, in their order. */
  readonly run: (items: readonly In[]) => Promise<readonly Out[]>;
  /** A call that has waited longer is refused unsent: the batches before it take too long. */
  readonly limitMs: number;
  /** How much an item adds to its batch; default 1. */
  readonly weigh?: (item: In) => number;
  /** What a batch weighs at most, unless its first item alone weighs more; default 500. */
  readonly weightMax?: number;
}

interface Call<In, Out> {
  readonly item: In;
  /** ms on a clock that never jumps. */
  readonly madeAt: number;
  readonly resolve: (result: Out) => void;
  readonly reject: (error: unknown) => void;
}

/** Makes the round trip cheap, and keeps the others waiting only briefly. */
const defaultWeightMax = 500;

/**
 * Gathers single calls into batches: while one batch is under way, the next one fills by itself. A call never joins
 * a batch that has begun, so it sees all that was there when it was made.
 */
export class Grouped<In, Out> {
  readonly #options: GroupedOptions<In, Out>;
  #waiting: Call<In, Out>[] = [];
  #isRunning = false;

  constructor(options: GroupedOptions<In, Out>) {
    this.#options = options;
  }

  /**
   * @throws StoreUnavailableError when the store does not answer, or has not done so for the calls before.
   * @throws whatever the batch throws, where the store refuses something in this very item.
   */
  call(item: In): Promise<Out> {
    const { promise, resolve, reject } = Promise.withResolvers<Out>();
    this.#waiting.push({ item, madeAt: performance.now(), resolve, reject });
    if (!this.#isRunning) {
      this.#isRunning = true;
      // What is asked for at the same moment goes together. Not setImmediate, which runs between a connection's end
      // and the event that tells of it: the driver would wait for ever for what it writes then.
      process.nextTick(() => void this.#runAll());
    }
    return promise;
  }

  async #runAll(): Promise<void> {
    for (let batch = this.#take(); batch.length > 0; batch = this.#take()) await this.#settle(batch);
    this.#isRunning = false;
  }

  #take(): Call<In, Out>[] {
    const { weigh = () => 1, weightMax = defaultWeightMax } = this.#options;
    this.#refuseLate();
    let weight = 0;
    const end = this.#waiting.findIndex(({ item }, index) => {
      weight += weigh(item);
      return index > 0 && weight > weightMax;
    });
    return this.#waiting.splice(0, end === -1 ? this.#waiting.length : end);
  }

  /** They stand in the order in which they came. */
  #refuseLate(): void {
    const oldest = performance.now() - this.#options.limitMs;
    const firstInTime = this.#waiting.findIndex(({ madeAt }) => madeAt >= oldest);
    const late = this.#waiting.splice(0, firstInTime === -1 ? this.#waiting.length : firstInTime);
    rejectAll(late, new StoreUnavailableError('the store does not keep up'));
  }

  async #settle(calls: readonly Call<In, Out>[]): Promise<void> {
    try {
      const results = await this.#options.run(calls.map(({ item }) => item));
      calls.forEach(({ resolve }, index) => {
        resolve(results[index] as Out);
      });
    } catch (error) {
      if (error instanceof StoreUnavailableError) {
        // Whoever waits would wait as long again for the same answer.
        rejectAll([...calls, ...this.#waiting.splice(0)], error);
        return;
      }
      if (calls.length === 1) return rejectAll(calls, error);
      // One item's fault is not the others'.
      const middle = calls.length >> 1;
      await this.#settle(calls.slice(0, middle));
      await this.#settle(calls.slice(middle));
    }
  }
}

function rejectAll(calls: readonly { reject(error: unknown): void }[], error: unknown): void {
  for (const { reject } of calls) reject(error);
}
