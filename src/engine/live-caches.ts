import type { PackageSnapshot } from '../domain/travel-package.ts';
import type { Clock } from '../lib/clock.ts';
import type { LiveBus } from '../realtime/live-bus.ts';
import type { Store } from '../storage/store.ts';

export interface PackageCacheOptions {
  readonly store: Pick<Store, 'package' | 'packages'>;
  readonly liveBus: LiveBus;
  readonly clock: Clock;
  /** A snapshot older than this is read again. Infinity if only this process changes the store. */
  readonly maxAgeMs: number;
}

interface Entry {
  /** Undefined if there is no such package. */
  readonly snapshot: PackageSnapshot | undefined;
  /** Time of the read or of the live update, in ms since the epoch. */
  readonly at: number;
}

interface Reading {
  readonly stored: PackageSnapshot | undefined;
  /** The entry after the read. It is newer than `stored` if a live update came meanwhile. */
  readonly entry: Entry;
}

/** Caches snapshots of all packages. The live bus updates them, and an old one is read again. */
export class PackageCache {
  readonly #options: PackageCacheOptions;
  readonly #entries = new Map<number, Entry>();
  /** Time of the last read of all packages. */
  #allAt: number | undefined;
  #readingAll: Promise<void> | undefined;
  readonly #reading = new Map<number, Promise<Reading>>();
  readonly #unsubscribe: () => void;

  constructor(options: PackageCacheOptions) {
    this.#options = options;
    this.#unsubscribe = options.liveBus.subscribe({
      package: (snapshot) => {
        this.#entries.set(snapshot.package.id, { snapshot, at: options.clock.now() });
      },
      removed: (packageId) => this.#entries.delete(packageId),
    });
  }

  /** All packages, sorted by id. @throws StoreUnavailableError */
  async all(): Promise<readonly PackageSnapshot[]> {
    if (!this.#isFresh(this.#allAt)) {
      this.#readingAll ??= this.#readAll().finally(() => {
        this.#readingAll = undefined;
      });
      await this.#readingAll;
    }
    const snapshots = [...this.#entries.values()].flatMap(({ snapshot }) => snapshot ?? []);
    return snapshots.sort((a, b) => a.package.id - b.package.id);
  }

  /** @throws StoreUnavailableError */
  async get(id: number): Promise<PackageSnapshot | undefined> {
    const known = this.#entries.get(id);
    if (known !== undefined && this.#isFresh(known.at)) return known.snapshot;
    if (
      known === undefined &&
      this.#options.maxAgeMs === Number.POSITIVE_INFINITY &&
      this.#isFresh(this.#allAt)
    ) {
      return undefined;
    }
    return (await this.#readOnce(id)).entry.snapshot;
  }

  /** The stored package, by a read that begins after this call. Calls share a read. @throws StoreUnavailableError */
  async reread(id: number): Promise<PackageSnapshot | undefined> {
    if (this.#options.maxAgeMs === Number.POSITIVE_INFINITY) return this.get(id);
    // A read in progress may have begun before this call.
    await this.#reading.get(id)?.catch(() => {});
    return (await this.#readOnce(id)).stored;
  }

  /** The cached snapshot, however old. */
  peek(id: number): PackageSnapshot | undefined {
    return this.#entries.get(id)?.snapshot;
  }

  close(): void {
    this.#unsubscribe();
  }

  #isFresh(at: number | undefined): boolean {
    return at !== undefined && this.#options.clock.now() - at <= this.#options.maxAgeMs;
  }

  #readOnce(id: number): Promise<Reading> {
    const reading = this.#reading.get(id) ?? this.#read(id).finally(() => this.#reading.delete(id));
    this.#reading.set(id, reading);
    return reading;
  }

  async #read(id: number): Promise<Reading> {
    const at = this.#options.clock.now();
    const stored = await this.#options.store.package(id);
    return { stored, entry: this.#keep(id, stored, at) };
  }

  async #readAll(): Promise<void> {
    const at = this.#options.clock.now();
    const stored = await this.#options.store.packages();
    for (const snapshot of stored) this.#keep(snapshot.package.id, snapshot, at);
    const ids = new Set(stored.map((snapshot) => snapshot.package.id));
    // A package that is not stored was removed, and the live update was lost. One that was heard of after the read began
    // may be new, so it stays.
    for (const [id, known] of this.#entries) if (!ids.has(id) && known.at < at) this.#entries.delete(id);
    this.#allAt = at;
  }

  /** A live update during the read is newer than the read. Misses are not cached, because anybody can ask for any id. */
  #keep(id: number, snapshot: PackageSnapshot | undefined, at: number): Entry {
    const known = this.#entries.get(id);
    if (known !== undefined && known.at >= at) return known;
    const entry = { snapshot, at };
    if (snapshot === undefined) this.#entries.delete(id);
    else this.#entries.set(id, entry);
    return entry;
  }
}
