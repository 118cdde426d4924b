import { preference } from '../../src/engine/actor/candidates.ts';

/** The address of a package's purchases. */
const purchasePath = /^\/api\/packages\/(\d+)\/orders$/;

/** Polls whether instances are ready, and orders them for a request. */
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
   * The instances in the order in which to try them: ready ones first. The purchases of a package begin at the same
   * instance, which then becomes its owner; all other requests in turn. Instances that are not ready follow, because
   * without MongoDB none is ready, but each can still answer with an error or cached data.
   */
  candidates(path = '/'): URL[] {
    const [, packageId] = purchasePath.exec(path) ?? [];
    const round = packageId === undefined ? this.#inTurn() : this.#byPackage(Number(packageId));
    const ready = round.filter(({ isReady }) => isReady);
    const others = round.filter(({ isReady }) => !isReady);
    return [...ready, ...others].map(({ url }) => url);
  }

  #inTurn() {
    const start = this.#turn++ % this.#instances.length;
    return [...this.#instances.slice(start), ...this.#instances.slice(0, start)];
  }

  #byPackage(packageId: number) {
    const byHost = new Map(this.#instances.map((instance) => [instance.url.host, instance]));
    return preference(packageId, [...byHost.keys()]).flatMap((host) => byHost.get(host) ?? []);
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
