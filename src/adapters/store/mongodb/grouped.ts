import { StoreUnavailableError } from '../../../ports/store.ts';

interface Call<In, Out> {
  readonly item: In;
  readonly resolve: (result: Out) => void;
  readonly reject: (error: unknown) => void;
}

/** Enough to make the round trip cheap, and few enough to keep the others waiting only briefly. */
const batchMax = 500;

/**
 * Gathers single calls into batches: while one batch is under way, the next one fills by itself. A call never joins
 * a batch that has begun, so it sees all that was there when it was made.
 */
export class Grouped<In, Out> {
  readonly #run: (items: readonly In[]) => Promise<readonly Out[]>;
  #waiting: Call<In, Out>[] = [];
  #isRunning = false;

  /** @param run gives one result per item, in their order. */
  constructor(run: (items: readonly In[]) => Promise<readonly Out[]>) {
    this.#run = run;
  }

  /** @throws whatever the batch throws, or the item's own error where the store refuses something in it. */
  call(item: In): Promise<Out> {
    const { promise, resolve, reject } = Promise.withResolvers<Out>();
    this.#waiting.push({ item, resolve, reject });
    if (!this.#isRunning) {
      this.#isRunning = true;
      // What is asked for at the same moment goes together. Not setImmediate, which runs between a connection's end
      // and the event that tells of it: the driver would wait for ever for what it writes then.
      process.nextTick(() => void this.#runAll());
    }
    return promise;
  }

  async #runAll(): Promise<void> {
    while (this.#waiting.length > 0) await this.#settle(this.#waiting.splice(0, batchMax));
    this.#isRunning = false;
  }

  async #settle(calls: readonly Call<In, Out>[]): Promise<void> {
    try {
      const results = await this.#run(calls.map(({ item }) => item));
      calls.forEach(({ resolve }, index) => {
        resolve(results[index] as Out);
      });
    } catch (error) {
      if (calls.length === 1 || error instanceof StoreUnavailableError) {
        for (const { reject } of calls) reject(error);
        return;
      }
      // One item's fault is not the others'.
      for (const call of calls) await this.#settle([call]);
    }
  }
}
