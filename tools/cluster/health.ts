/** Polls whether instances are ready, and orders them by turn. */
export class Health {
  readonly #instances: { readonly url: URL; isReady: boolean }[];
  readonly #checkMs: number;
  readonly #stopping = new AbortController();
  #turn = 0;

  constructor(origins: readonly string[], checkMs = 250) {
    this.#instances = origins.map((origin) => ({ url: new URL(origin), isReady: false }));
    this.#checkMs = checkMs;
  }

  /** Resolves after the first check of each instance. */
  async start(): Promise<void> {
    await this.#checkAll();
    void this.#run();
  }

  stop(): void {
    this.#stopping.abort();
  }

  /**
   * The instances in the order in which to try them: ready ones first, in turn. The others follow, because without
   * MongoDB none is ready, but each can still answer with an error or cached data.
   */
  candidates(): URL[] {
    const start = this.#turn++ % this.#instances.length;
    const round = [...this.#instances.slice(start), ...this.#instances.slice(0, start)];
    const ready = round.filter(({ isReady }) => isReady);
    const others = round.filter(({ isReady }) => !isReady);
    return [...ready, ...others].map(({ url }) => url);
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, this.#checkMs).unref());
      await this.#checkAll();
    }
  }

  async #checkAll(): Promise<void> {
    await Promise.all(
      this.#instances.map(async (instance) => {
        const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(1_000)]);
        const asked = fetch(new URL('/readyz', instance.url), { signal });
        instance.isReady = await asked.then(
          async (answer) => {
            await answer.body?.cancel();
            return answer.ok;
          },
          () => false,
        );
      }),
    );
  }
}
