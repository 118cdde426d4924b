import { isListed, type PackageSnapshot } from '../domain/travel-package.ts';
import type { BookingEngine } from '../engine/engine.ts';
import { singleFlight } from '../lib/cached.ts';
import type { Clock } from '../lib/clock.ts';
import { Channel } from './channel.ts';
import type { Fragment } from './frame.ts';

/** The greatest age of what `BookingEngine.packages` returns, in ms. */
const snapshotAgeMsMax = 250;

interface Known {
  readonly snapshot: PackageSnapshot;
  /** When the bus brought it, in ms since the epoch; -Infinity if it was read. */
  readonly heardAt: number;
}

/**
 * The newest state of the packages and the channels that show it: one with all packages, and one for each package
 * that is watched alone. A package is rendered once per change, and only while somebody watches.
 */
export class PackageFeed {
  /** The channel of all packages. */
  readonly all = new Channel();
  readonly #single = new Map<number, Channel>();
  readonly #known = new Map<number, Known>();
  readonly #rendered = new Map<number, Fragment>();
  /** Packages that must be rendered again. */
  readonly #changed = new Set<number>();
  /** Packages in `all`. A package that becomes unlisted stays until it is rendered again. */
  readonly #listed = new Set<number>();
  /** Packages that were removed from the store. They are shown as closed while somebody watches. */
  readonly #removed = new Set<number>();
  readonly #clock: Clock;
  readonly #render: (snapshot: PackageSnapshot) => Fragment | undefined;
  #readAt = Number.NEGATIVE_INFINITY;

  /**
   * Reads all packages, and stores those of which the bus has brought nothing newer. Concurrent callers share one read.
   * @throws StoreUnavailableError
   */
  readonly read: () => Promise<void>;

  /** @param render undefined if a package cannot be rendered. */
  constructor(
    engine: Pick<BookingEngine, 'packages'>,
    clock: Clock,
    render: (snapshot: PackageSnapshot) => Fragment | undefined,
  ) {
    this.#clock = clock;
    this.#render = render;
    this.read = singleFlight(async () => {
      const startedAt = clock.now();
      this.#setAll(await engine.packages(), startedAt);
      this.#readAt = startedAt;
    });
  }

  /** When the last read of all packages began, in ms since the epoch. */
  get readAt(): number {
    return this.#readAt;
  }

  get(packageId: number): PackageSnapshot | undefined {
    return this.#removed.has(packageId) ? undefined : this.#known.get(packageId)?.snapshot;
  }

  /** Stores a package from the bus. */
  update(snapshot: PackageSnapshot): void {
    this.#removed.delete(snapshot.package.id);
    this.#set(snapshot, this.#clock.now());
  }

  /** Removes a package. Pages that show it get it once more, as an archived package whose sale is closed. */
  remove(packageId: number): void {
    const known = this.#known.get(packageId);
    if (known === undefined) return;
    const { snapshot } = known;
    this.update({ ...snapshot, package: { ...snapshot.package, archived: true } });
    this.#removed.add(packageId);
  }

  /** The channel of one package. It stays empty if there is no such package. */
  single(packageId: number): Channel {
    let channel = this.#single.get(packageId);
    if (channel === undefined) {
      channel = new Channel();
      this.#single.set(packageId, channel);
      const fragment = this.#rendered.get(packageId);
      if (fragment !== undefined) channel.put([fragment]);
    }
    return channel;
  }

  channels(): Channel[] {
    return [this.all, ...this.#single.values()];
  }

  isWatched(): boolean {
    return this.all.subscriptions.size > 0 || this.#single.size > 0;
  }

  /** Removes the channels and packages that only former viewers needed. Call this after a viewer has left. */
  prune(): void {
    for (const [packageId, channel] of this.#single) {
      if (channel.subscriptions.size === 0) this.#single.delete(packageId);
    }
    if (this.isWatched()) return;
    for (const [packageId, { rootId }] of this.#rendered) {
      if (!this.#listed.has(packageId)) this.all.remove(rootId);
    }
    for (const packageId of this.#removed) {
      this.#known.delete(packageId);
      this.#rendered.delete(packageId);
    }
    this.#removed.clear();
    // Sales may open or close while nobody watches, so the next viewer gets everything rendered again.
    for (const packageId of this.#known.keys()) this.#changed.add(packageId);
  }

  /** Renders changed packages. Returns the channels with a new version. Does nothing while nobody watches. */
  render(): Channel[] {
    if (!this.isWatched()) return [];
    const forAll: Fragment[] = [];
    const channels: Channel[] = [];
    for (const packageId of this.#changed) {
      this.#changed.delete(packageId);
      const known = this.#known.get(packageId);
      const fragment = known && this.#render(known.snapshot);
      if (known === undefined || fragment === undefined) continue;
      this.#rendered.set(packageId, fragment);
      if (this.#isForAll(known.snapshot)) forAll.push(fragment);
      else this.all.remove(fragment.rootId);
      const single = this.#single.get(packageId);
      single?.put([fragment]);
      if (single !== undefined) channels.push(single);
    }
    if (forAll.length === 0) return channels;
    this.all.put(forAll);
    return [this.all, ...channels];
  }

  /**
   * When the next sale opens or closes, in ms since the epoch; Infinity if none does. The package then looks different
   * although no update comes.
   */
  nextSaleChange(): number {
    const now = this.#clock.now();
    let next = Number.POSITIVE_INFINITY;
    for (const { snapshot } of this.#known.values()) {
      const { opensAt = now, closesAt = now } = snapshot.package;
      if (opensAt > now) next = Math.min(next, opensAt);
      if (closesAt > now) next = Math.min(next, closesAt);
    }
    return next;
  }

  /** Marks a package as changed if its sale opens or closes at the time `at`. */
  markSaleChange(at: number): void {
    for (const [packageId, { snapshot }] of this.#known) {
      if (snapshot.package.opensAt === at || snapshot.package.closesAt === at) this.#changed.add(packageId);
    }
  }

  /** Whether the channel of all packages shows this package. An archived package is sent once more, as closed. */
  #isForAll(snapshot: PackageSnapshot): boolean {
    const { id, archived } = snapshot.package;
    if (!isListed(snapshot)) return this.#listed.delete(id) && archived === true;
    this.#listed.add(id);
    return true;
  }

  /** Stores packages that were read, except those of which the bus has brought a newer state. */
  #setAll(snapshots: readonly PackageSnapshot[], startedAt: number): void {
    const isOlder = (heardAt: number) => heardAt < startedAt - snapshotAgeMsMax;
    for (const snapshot of snapshots) {
      const heardAt = this.#known.get(snapshot.package.id)?.heardAt ?? Number.NEGATIVE_INFINITY;
      if (isOlder(heardAt)) this.#set(snapshot, heardAt);
    }
    const ids = new Set(snapshots.map((snapshot) => snapshot.package.id));
    for (const [id, { heardAt }] of this.#known) {
      if (!ids.has(id) && !this.#removed.has(id) && isOlder(heardAt)) this.remove(id);
    }
  }

  #set(snapshot: PackageSnapshot, heardAt: number): void {
    const { id } = snapshot.package;
    const before = this.#known.get(id)?.snapshot;
    this.#known.set(id, { snapshot, heardAt });
    if (before !== snapshot && JSON.stringify(before) !== JSON.stringify(snapshot)) this.#changed.add(id);
  }
}
