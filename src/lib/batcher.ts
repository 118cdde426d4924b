export interface BatcherOptions<Item, Result> {
  /**
   * Processes a batch. Returns one result per item, in the order of the items. An item whose result is an Error is
   * rejected with that Error. If `run` throws, `onError` selects the items to reject.
   */
  readonly run: (
    items: readonly Item[],
  ) => readonly (Result | Error)[] | Promise<readonly (Result | Error)[]>;
  /** How much an item adds to the weight of its batch; default 1. */
  readonly weigh?: (item: Item) => number;
  /** The greatest weight of a batch. A single item may weigh more; default 500. */
  readonly weightMax?: number;
  /**
   * Delays the start of each batch a little, so that items that are added at the same time share a batch; default:
   * `process.nextTick`.
   */
  readonly schedule?: (begin: () => void) => void;
  /**
   * Which items an error of `run` rejects. `batch` (default): all items of the batch. `all`: the items of the batch and
   * the waiting items. `split`: only the faulty item; the batch is run again in halves to find it.
   */
  readonly onError?: (error: unknown) => 'batch' | 'all' | 'split';
  /** An item that has waited longer than `ms` is not run, and is rejected with the error that `late` makes. */
  readonly waitMax?: { readonly ms: number; readonly late: () => Error };
}

interface Entry<Item, Result> {
  readonly item: Item;
  /** The time of a monotonic clock, in ms. 0 if there is no limit on the wait. */
  readonly addedAt: number;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Gathers single items into batches. While one batch runs, the next one fills by itself, so the size of a batch follows
 * the load. An item never joins a batch that has begun, so its batch sees everything that happened before the item was
 * added.
 */
export class Batcher<Item, Result> {
  readonly #options: BatcherOptions<Item, Result>;
  #waiting: Entry<Item, Result>[] = [];
  #running = 0;
  #isActive = false;
  /** Resolves when no item waits or runs. Undefined if nobody waits for that. */
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(options: BatcherOptions<Item, Result>) {
    this.#options = options;
  }

  /** How many items wait or run. */
  get size(): number {
    return this.#waiting.length + this.#running;
  }

  /**
   * Adds an item to the next batch, and resolves with its result. @throws the error that `run` returns or throws for
   * the item.
   */
  add(item: Item): Promise<Result> {
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    const addedAt = this.#options.waitMax === undefined ? 0 : performance.now();
    this.#waiting.push({ item, addedAt, resolve, reject });
    if (!this.#isActive) {
      this.#isActive = true;
      this.#schedule();
    }
    return promise;
  }

  /** Resolves when no item waits or runs. */
  async idle(): Promise<void> {
    if (!this.#isActive) return;
    this.#idle ??= Promise.withResolvers();
    await this.#idle.promise;
  }

  #schedule(): void {
    const { schedule = process.nextTick } = this.#options;
    schedule(() => void this.#runNext());
  }

  async #runNext(): Promise<void> {
    this.#rejectLate();
    const batch = this.#take();
    this.#running = batch.length;
    if (batch.length > 0) await this.#run(batch);
    this.#running = 0;
    if (this.#waiting.length > 0) return this.#schedule();
    this.#isActive = false;
    this.#idle?.resolve();
    this.#idle = undefined;
  }

  #take(): Entry<Item, Result>[] {
    const { weigh = () => 1, weightMax = 500 } = this.#options;
    let weight = 0;
    const end = this.#waiting.findIndex(({ item }, index) => {
      weight += weigh(item);
      return index > 0 && weight > weightMax;
    });
    return this.#waiting.splice(0, end === -1 ? this.#waiting.length : end);
  }

  /** Rejects items that have waited too long. The oldest items are first. */
  #rejectLate(): void {
    const { waitMax } = this.#options;
    if (waitMax === undefined) return;
    const oldest = performance.now() - waitMax.ms;
    const firstInTime = this.#waiting.findIndex(({ addedAt }) => addedAt >= oldest);
    const late = this.#waiting.splice(0, firstInTime === -1 ? this.#waiting.length : firstInTime);
    for (const { reject } of late) reject(waitMax.late());
  }

  async #run(batch: readonly Entry<Item, Result>[]): Promise<void> {
    const { run, onError = () => 'batch' } = this.#options;
    try {
      const results = await run(batch.map(({ item }) => item));
      batch.forEach(({ resolve, reject }, index) => {
        const result = results[index] as Result | Error;
        if (result instanceof Error) reject(result);
        else resolve(result);
      });
    } catch (error) {
      const meaning = onError(error);
      if (meaning === 'split' && batch.length > 1) {
        const middle = batch.length >> 1;
        await this.#run(batch.slice(0, middle));
        await this.#run(batch.slice(middle));
        return;
      }
      const waiting = meaning === 'all' ? this.#waiting.splice(0) : [];
      for (const { reject } of [...batch, ...waiting]) reject(error);
    }
  }
}
