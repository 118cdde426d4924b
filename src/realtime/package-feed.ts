import { isListed, type PackageSnapshot } from '../domain/travel-package.ts';
import type { CachedPackages } from '../engine/engine.ts';
import type { Clock } from '../lib/clock.ts';
import { Channel, type Fragment } from './fanout.ts';

/**
 * The channels that show the packages. One channel shows all packages. Each package that is watched alone has a channel
 * of its own. A package is rendered once per change, and only while somebody watches.
 */
export class PackageFeed {
  /** The channel of all packages. */
  readonly all = new Channel();
  readonly #single = new Map<number, Channel>();
  readonly #rendered = new Map<number, Fragment>();
  /** Packages that must be rendered again. */
  readonly #changed = new Set<number>();
  /** Packages in `all`. A package that becomes unlisted stays until it is rendered again. */
  readonly #listed = new Set<number>();
  /**
   * Packages that were removed from the store, kept as archived packages. They are shown as closed while somebody
   * watches.
   */
  readonly #removed = new Map<number, PackageSnapshot>();
  readonly #packages: CachedPackages;
  readonly #clock: Clock;
  readonly #render: (snapshot: PackageSnapshot) => Fragment | undefined;

  /** @param render returns undefined if a package cannot be rendered. */
  constructor(
    packages: CachedPackages,
    clock: Clock,
    render: (snapshot: PackageSnapshot) => Fragment | undefined,
  ) {
    this.#packages = packages;
    this.#clock = clock;
    this.#render = render;
    this.#markAll();
  }

  /** Call this when a package is new or has changed. */
  update(packageId: number): void {
    this.#removed.delete(packageId);
    this.#changed.add(packageId);
  }

  /** Call this when a package was removed. Pages that show the package get it once more, as archived. */
  remove(last: PackageSnapshot): void {
    const { id, archived } = last.package;
    this.#removed.set(id, { ...last, package: { ...last.package, archived: true } });
    if (archived !== true) this.#changed.add(id);
  }

  /** Returns the channel of one package. The channel stays empty if there is no such package. */
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

  /** Removes channels and packages that no viewer needs any more. Call this after a viewer has left. */
  prune(): void {
    for (const [packageId, channel] of this.#single) {
      if (channel.subscriptions.size === 0) this.#single.delete(packageId);
    }
    if (this.isWatched()) return;
    for (const packageId of this.#removed.keys()) this.#listed.delete(packageId);
    for (const [packageId, { rootId }] of this.#rendered) {
      if (!this.#listed.has(packageId)) this.all.remove(rootId);
    }
    for (const packageId of this.#removed.keys()) this.#rendered.delete(packageId);
    this.#removed.clear();
    // Sales may open or close while nobody watches, so the next viewer gets everything rendered again.
    this.#markAll();
  }

  /** Renders changed packages. Returns the channels with a new version. Does nothing while nobody watches. */
  render(): Channel[] {
    if (!this.isWatched()) return [];
    const forAll: Fragment[] = [];
    const channels: Channel[] = [];
    for (const packageId of this.#changed) {
      this.#changed.delete(packageId);
      const snapshot = this.#removed.get(packageId) ?? this.#packages.peek(packageId);
      const fragment = snapshot && this.#render(snapshot);
      if (snapshot === undefined || fragment === undefined) continue;
      this.#rendered.set(packageId, fragment);
      if (this.#isForAll(snapshot)) forAll.push(fragment);
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
   * When the next sale opens or closes, as Unix time in ms; Infinity if none does. At that time a package looks
   * different, although no update comes.
   */
  nextSaleChange(): number {
    const now = this.#clock.now();
    let next = Number.POSITIVE_INFINITY;
    for (const { package: travelPackage } of this.#packages.values()) {
      const { opensAt = now, closesAt = now } = travelPackage;
      if (opensAt > now) next = Math.min(next, opensAt);
      if (closesAt > now) next = Math.min(next, closesAt);
    }
    return next;
  }

  /** Marks a package as changed if its sale opens or closes at the time `at`. */
  markSaleChange(at: number): void {
    for (const { package: travelPackage } of this.#packages.values()) {
      const { id, opensAt, closesAt } = travelPackage;
      if (opensAt === at || closesAt === at) this.#changed.add(id);
    }
  }

  /** Whether the channel of all packages shows this package. An archived package is sent once more, as closed. */
  #isForAll(snapshot: PackageSnapshot): boolean {
    const { id, archived } = snapshot.package;
    if (!isListed(snapshot)) return this.#listed.delete(id) && archived === true;
    this.#listed.add(id);
    return true;
  }

  #markAll(): void {
    for (const snapshot of this.#packages.values()) this.#changed.add(snapshot.package.id);
  }
}
