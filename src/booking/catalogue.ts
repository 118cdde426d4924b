import type { PackageSnapshot } from '../domain/travel-package.ts';
import type { Clock } from '../ports/clock.ts';
import type { LiveBus } from '../ports/live-bus.ts';
import type { Store } from '../ports/store.ts';

export interface CatalogueOptions {
  readonly store: Store;
  readonly liveBus: LiveBus;
  readonly clock: Clock;
  /** A snapshot older than this is read again; Infinity where this process alone changes the store. */
  readonly maxAgeMs: number;
}

/** All packages with their figures, in memory: kept fresh by the live bus, and read again when too old. */
export class Catalogue {
  readonly #options: CatalogueOptions;
  #snapshots: ReadonlyMap<number, PackageSnapshot> | undefined;
  #readAt = 0;
  #reading: Promise<ReadonlyMap<number, PackageSnapshot>> | undefined;
  readonly #news = new Map<number, PackageSnapshot>();
  readonly #unsubscribe: () => void;

  constructor(options: CatalogueOptions) {
    this.#options = options;
    this.#unsubscribe = options.liveBus.subscribe({ package: (snapshot) => this.#hear(snapshot) });
  }

  /** By id. @throws StoreUnavailableError */
  async all(): Promise<readonly PackageSnapshot[]> {
    return [...(await this.#fresh()).values()];
  }

  /** @throws StoreUnavailableError */
  async get(id: number): Promise<PackageSnapshot | undefined> {
    return (this.peek() ?? (await this.#fresh())).get(id);
  }

  /** What is known without reading; undefined when it is too old. */
  peek(): ReadonlyMap<number, PackageSnapshot> | undefined {
    const { clock, maxAgeMs } = this.#options;
    return clock.now() - this.#readAt <= maxAgeMs ? this.#snapshots : undefined;
  }

  close(): void {
    this.#unsubscribe();
  }

  async #fresh(): Promise<ReadonlyMap<number, PackageSnapshot>> {
    const known = this.peek();
    if (known !== undefined) return known;
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(): Promise<ReadonlyMap<number, PackageSnapshot>> {
    this.#news.clear();
    const snapshots = await this.#options.store.packages();
    const byId = new Map(snapshots.map((snapshot) => [snapshot.package.id, snapshot]));
    // What was heard while reading may be newer than what was read.
    for (const [id, snapshot] of this.#news) byId.set(id, snapshot);
    this.#readAt = this.#options.clock.now();
    this.#snapshots = byId;
    return byId;
  }

  #hear(snapshot: PackageSnapshot): void {
    const { id } = snapshot.package;
    this.#news.set(id, snapshot);
    if (this.#snapshots?.has(id)) (this.#snapshots as Map<number, PackageSnapshot>).set(id, snapshot);
  }
}
