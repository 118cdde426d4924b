import { isListed, type PackageSnapshot } from '../domain/travel-package.ts';
import type { BookingEngine } from '../engine/engine.ts';
import type { Clock } from '../lib/clock.ts';
import { Channel } from './channel.ts';
import type { Fragment } from './envelope.ts';

/** How old the engine's answer about packages may be, in ms: see BookingEngine.packages. */
const snapshotAgeMsMax = 250;

interface Known {
  readonly snapshot: PackageSnapshot;
  /** When the bus told it; -Infinity for what was read. */
  readonly heardAt: number;
}

/**
 * The newest state of the packages and the channels that show it: one with all of them, and one for each that is
 * watched alone. A package is drawn once per change, and only while somebody watches.
 */
export class PackageFeed {
  /** The channel of all packages. */
  readonly all = new Channel();
  readonly #single = new Map<number, Channel>();
  readonly #known = new Map<number, Known>();
  readonly #drawn = new Map<number, Fragment>();
  /** Packages that are shown otherwise than they were drawn. */
  readonly #changed = new Set<number>();
  /** Packages in the channel of all: the listed ones, and one that was unlisted until it is redrawn. */
  readonly #listed = new Set<number>();
  /** Packages that are gone from the store, but still drawn (as closed) while somebody watches. */
  readonly #removed = new Set<number>();
  readonly #engine: Pick<BookingEngine, 'packages'>;
  readonly #clock: Clock;
  readonly #draw: (snapshot: PackageSnapshot) => Fragment | undefined;
  #reading: Promise<void> | undefined;
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(
    engine: Pick<BookingEngine, 'packages'>,
    clock: Clock,
    draw: (snapshot: PackageSnapshot) => Fragment | undefined,
  ) {
    this.#engine = engine;
    this.#clock = clock;
    this.#draw = draw;
  }

  /** When the packages were last read as a whole, in ms since the epoch: what the bus told since is newer. */
  get readAt(): number {
    return this.#readAt;
  }

  get(packageId: number): PackageSnapshot | undefined {
    return this.#removed.has(packageId) ? undefined : this.#known.get(packageId)?.snapshot;
  }

  hear(snapshot: PackageSnapshot): void {
    this.#removed.delete(snapshot.package.id);
    this.#learn(snapshot, this.#clock.now());
  }

  /**
   * Reads all packages, once for everybody who asks meanwhile, and learns what the bus did not tell.
   * @throws StoreUnavailableError
   */
  read(): Promise<void> {
    this.#reading ??= this.#readOnce().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  /** The channel of one package alone; it stays empty where there is no such package. */
  single(packageId: number): Channel {
    let channel = this.#single.get(packageId);
    if (channel === undefined) {
      channel = new Channel();
      this.#single.set(packageId, channel);
      const fragment = this.#drawn.get(packageId);
      if (fragment !== undefined) channel.put([fragment]);
    }
    return channel;
  }

  channels(): Channel[] {
    return [this.all, ...this.#single.values()];
  }

  /** Drops what nobody watches any more. */
  leave(): void {
    for (const [packageId, channel] of this.#single) {
      if (channel.subscriptions.size === 0) this.#single.delete(packageId);
    }
    if (this.isWatched()) return;
    for (const [packageId, { rootId }] of this.#drawn) {
      if (!this.#listed.has(packageId)) this.all.remove(rootId);
    }
    for (const packageId of this.#removed) {
      this.#known.delete(packageId);
      this.#drawn.delete(packageId);
    }
    this.#removed.clear();
    // Time goes on unwatched, and a sale that opens looks different: whoever comes next sees everything drawn anew.
    for (const packageId of this.#known.keys()) this.#changed.add(packageId);
  }

  /** Draws what has changed; returns the channels that have a new version. Does nothing while nobody watches. */
  draw(): Channel[] {
    if (!this.isWatched()) return [];
    const drawn: Fragment[] = [];
    const channels: Channel[] = [];
    for (const packageId of this.#changed) {
      this.#changed.delete(packageId);
      const known = this.#known.get(packageId);
      const fragment = known && this.#draw(known.snapshot);
      if (known === undefined || fragment === undefined) continue;
      this.#drawn.set(packageId, fragment);
      if (this.#isForAll(known.snapshot)) drawn.push(fragment);
      else this.all.remove(fragment.rootId);
      const single = this.#single.get(packageId);
      single?.put([fragment]);
      if (single !== undefined) channels.push(single);
    }
    if (drawn.length === 0) return channels;
    this.all.put(drawn);
    return [this.all, ...channels];
  }

  /** Drops a removed package. Pages that show it see its sale closed, as for an archived one. */
  forget(packageId: number): void {
    const known = this.#known.get(packageId);
    if (known === undefined) return;
    const { package: travelPackage, inventory } = known.snapshot;
    this.hear({ package: { ...travelPackage, archived: true }, inventory });
    this.#removed.add(packageId);
  }

  /** Whether the pages with all packages get this fragment. An archived package is sent once more, as closed. */
  #isForAll(snapshot: PackageSnapshot): boolean {
    const { id, archived } = snapshot.package;
    if (!isListed(snapshot)) return this.#listed.delete(id) && archived === true;
    this.#listed.add(id);
    return true;
  }

  /** When the next sale opens or closes: it looks different from then on, though nothing is published. */
  nextOpeningOrClosing(): number | undefined {
    const now = this.#clock.now();
    let next: number | undefined;
    for (const { snapshot } of this.#known.values()) {
      for (const at of [snapshot.package.opensAt, snapshot.package.closesAt]) {
        if (at !== undefined && at > now && (next === undefined || at < next)) next = at;
      }
    }
    return next;
  }

  /** Has those packages drawn anew that open or close at this time. */
  openingOrClosing(at: number): void {
    for (const [packageId, { snapshot }] of this.#known) {
      if (snapshot.package.opensAt === at || snapshot.package.closesAt === at) this.#changed.add(packageId);
    }
  }

  isWatched(): boolean {
    return this.all.subscriptions.size > 0 || this.#single.size > 0;
  }

  async #readOnce(): Promise<void> {
    const startedAt = this.#clock.now();
    const snapshots = await this.#engine.packages();
    const isOld = (heardAt: number) => heardAt < startedAt - snapshotAgeMsMax;
    for (const snapshot of snapshots) {
      const heardAt = this.#known.get(snapshot.package.id)?.heardAt ?? Number.NEGATIVE_INFINITY;
      if (isOld(heardAt)) this.#learn(snapshot, heardAt);
    }
    const ids = new Set(snapshots.map((snapshot) => snapshot.package.id));
    for (const [id, { heardAt }] of this.#known) {
      if (!ids.has(id) && !this.#removed.has(id) && isOld(heardAt)) this.forget(id);
    }
    this.#readAt = startedAt;
  }

  #learn(snapshot: PackageSnapshot, heardAt: number): void {
    const { id } = snapshot.package;
    const before = this.#known.get(id)?.snapshot;
    this.#known.set(id, { snapshot, heardAt });
    if (before === undefined || !isSame(before, snapshot)) this.#changed.add(id);
  }
}

function isSame(a: PackageSnapshot, b: PackageSnapshot): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
