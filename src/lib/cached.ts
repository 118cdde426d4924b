import type { Clock } from './clock.ts';

/** Makes concurrent callers share one run of the work. The next call after that run starts another run. */
export function singleFlight<Value>(work: () => Promise<Value>): () => Promise<Value> {
  let running: Promise<Value> | undefined;
  return () => {
    running ??= work().finally(() => {
      running = undefined;
    });
    return running;
  };
}

export interface CachedOptions<Value> {
  readonly clock: Pick<Clock, 'monotonic'>;
  /** How long a value is fresh after it was loaded, in ms. May depend on the value. */
  readonly maxAgeMs: number | ((value: Value) => number);
}

/** A value that is loaded at the first use, and cached for a while. There is one load at a time. */
export class Cached<Value> {
  readonly #load: () => Promise<Value>;
  readonly #options: CachedOptions<Value>;
  #cached: { readonly value: Value; readonly loaded: Promise<Value>; readonly until: number } | undefined;
  #loading: Promise<Value> | undefined;

  constructor(load: () => Promise<Value>, options: CachedOptions<Value>) {
    this.#load = load;
    this.#options = options;
  }

  /**
   * Returns the cached value if the value is fresh. Otherwise joins the load that is running, or begins a load.
   * @throws the error of the load.
   */
  get(): Promise<Value> {
    const { clock } = this.#options;
    if (this.#cached !== undefined && clock.monotonic() < this.#cached.until) return this.#cached.loaded;
    return this.#loading ?? this.#begin();
  }

  /** Returns the value that was loaded last, however old. Undefined if no value was loaded. Does not load. */
  peek(): Value | undefined {
    return this.#cached?.value;
  }

  /** Forgets the value. The result of a load that is running is not cached, and the next caller begins another load. */
  clear(): void {
    this.#cached = undefined;
    this.#loading = undefined;
  }

  #begin(): Promise<Value> {
    const loading = this.#load();
    this.#loading = loading;
    loading.then(
      (value) => {
        if (this.#loading !== loading) return;
        const { clock, maxAgeMs } = this.#options;
        const ageMs = typeof maxAgeMs === 'number' ? maxAgeMs : maxAgeMs(value);
        this.#cached = { value, loaded: loading, until: clock.monotonic() + ageMs };
        this.#loading = undefined;
      },
      () => {
        // A failure is not cached, so the next caller tries again.
        if (this.#loading === loading) this.#loading = undefined;
      },
    );
    return loading;
  }
}
