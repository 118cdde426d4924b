import { isListed, type PackageSnapshot } from '../domain/travel-package.ts';
import type { CachedPackages } from '../engine/engine.ts';
import { shownMax } from '../http/inputs.ts';
import type { Clock } from '../lib/clock.ts';
import { Channel, type Fragment, type LiveFormat, liveFormats } from './fanout.ts';

/** The most packages in a list. */
export const listMax = shownMax;
/** The most different lists, each with a channel of its own. */
const listsMax = 2_000;

/** Returns undefined if the package cannot be rendered. */
type RenderPackage = (snapshot: PackageSnapshot, format: LiveFormat) => Fragment | undefined;

/** A list of packages that viewers watch together, in the format of its channel. */
export interface WatchedPackages {
  readonly channel: Channel;
  readonly ids: Set<number>;
  /**
   * Whether this is the list of the first listed packages. Packages that become listed join it while it is not full,
   * and packages that become unlisted leave it.
   */
  readonly isFirst: boolean;
  readonly name: string;
}

/**
 * The channels that show packages: one for each list of packages that somebody watches, and for each format. A package
 * is rendered once per change and format, and only while somebody watches it.
 */
export class PackageFeed {
  readonly #lists = new Map<string, WatchedPackages>();
  /** The lists of each watched package. */
  readonly #watching = new Map<number, Set<WatchedPackages>>();
  /** The newest fragments of the watched packages, by format. */
  readonly #rendered = new Map<number, Partial<Record<LiveFormat, Fragment>>>();
  /** Watched packages that must be rendered again. */
  readonly #changed = new Set<number>();
  /** Watched packages that were removed from the store, kept as archived packages: they are shown as closed. */
  readonly #removed = new Map<number, PackageSnapshot>();
  readonly #packages: CachedPackages;
  readonly #clock: Clock;
  readonly #render: RenderPackage;

  constructor(packages: CachedPackages, clock: Clock, render: RenderPackage) {
    this.#packages = packages;
    this.#clock = clock;
    this.#render = render;
  }

  /** Call this when a package is new or has changed. */
  update(packageId: number): void {
    this.#joinFirst(packageId);
    if (!this.#watching.has(packageId)) return;
    this.#removed.delete(packageId);
    this.#changed.add(packageId);
  }

  /** Call this when a package was removed. Pages that show the package get it once more, as archived. */
  remove(last: PackageSnapshot): void {
    const { id, archived } = last.package;
    if (!this.#watching.has(id)) return;
    this.#removed.set(id, { ...last, package: { ...last.package, archived: true } });
    if (archived !== true) this.#changed.add(id);
  }

  /** Whether {@link watch} may be called. */
  hasRoomFor(ids: readonly number[] | undefined, format: LiveFormat): boolean {
    return this.#lists.size < listsMax || this.#lists.has(nameOf(ids, format));
  }

  /**
   * Returns the list of these packages, or of the first listed ones, in a format, with the current state of those that
   * are known.
   */
  watch(ids: readonly number[] | undefined, format: LiveFormat): WatchedPackages {
    const name = nameOf(ids, format);
    const known = this.#lists.get(name);
    if (known !== undefined) return known;
    const channel = new Channel(format);
    const list = { channel, ids: new Set<number>(), isFirst: ids === undefined, name };
    this.#lists.set(name, list);
    for (const id of ids ?? this.#packages.ids('listed').slice(0, listMax)) this.#join(list, id);
    channel.put([...list.ids].flatMap((id) => this.#fragment(id, format) ?? []));
    return list;
  }

  /** Forgets a list when its last viewer has left. */
  unwatch(list: WatchedPackages): void {
    if (list.channel.subscriptions.size > 0) return;
    this.#lists.delete(list.name);
    for (const id of list.ids) this.#leave(list, id);
  }

  *channels(): Iterable<Channel> {
    for (const { channel } of this.#lists.values()) yield channel;
  }

  /** The watched packages. */
  ids(): Iterable<number> {
    return this.#watching.keys();
  }

  /** Whether a list of the first listed packages is watched. */
  isFirstWatched(): boolean {
    return firstNames.some((name) => this.#lists.has(name));
  }

  /** Renders changed packages. Returns the channels with a new version. */
  render(): Iterable<Channel> {
    const news = new Map<WatchedPackages, Fragment[]>();
    for (const id of this.#changed) {
      this.#changed.delete(id);
      this.#rendered.delete(id);
      for (const list of this.#watching.get(id) ?? []) {
        const fragment = this.#fragment(id, list.channel.format);
        if (fragment === undefined) continue;
        if (!this.#isFor(list, id)) {
          list.channel.remove(fragment.rootId);
          continue;
        }
        const fragments = news.get(list);
        if (fragments === undefined) news.set(list, [fragment]);
        else fragments.push(fragment);
      }
    }
    for (const [list, fragments] of news) list.channel.put(fragments);
    return [...news.keys()].map(({ channel }) => channel);
  }

  /**
   * When the next sale of a watched package opens or closes, as Unix time in ms; Infinity if none does. At that time the
   * package looks different, although no update comes.
   */
  nextSaleChange(): number {
    const now = this.#clock.now();
    let next = Number.POSITIVE_INFINITY;
    for (const id of this.#watching.keys()) {
      const { opensAt = now, closesAt = now } = this.#packages.peek(id)?.package ?? {};
      if (opensAt > now) next = Math.min(next, opensAt);
      if (closesAt > now) next = Math.min(next, closesAt);
    }
    return next;
  }

  /** Marks a package as changed if its sale opens or closes at the time `at`. */
  markSaleChange(at: number): void {
    for (const id of this.#watching.keys()) {
      const { opensAt, closesAt } = this.#packages.peek(id)?.package ?? {};
      if (opensAt === at || closesAt === at) this.#changed.add(id);
    }
  }

  /** The newest fragment of a watched package. Undefined if it is unknown or cannot be rendered. */
  #fragment(id: number, format: LiveFormat): Fragment | undefined {
    const rendered = this.#rendered.get(id) ?? {};
    if (rendered[format] !== undefined) return rendered[format];
    const snapshot = this.#removed.get(id) ?? this.#packages.peek(id);
    const fragment = snapshot && this.#render(snapshot, format);
    if (fragment === undefined) return undefined;
    rendered[format] = fragment;
    this.#rendered.set(id, rendered);
    return fragment;
  }

  /** Whether the list shows the package. The first list gets a package that was archived once more, as closed. */
  #isFor(list: WatchedPackages, id: number): boolean {
    if (!list.isFirst) return true;
    const snapshot = this.#removed.get(id) ?? this.#packages.peek(id);
    if (snapshot === undefined || isListed(snapshot)) return true;
    this.#leave(list, id);
    return snapshot.package.archived === true;
  }

  #joinFirst(id: number): void {
    for (const name of firstNames) {
      const list = this.#lists.get(name);
      if (list === undefined || list.ids.size >= listMax || list.ids.has(id)) continue;
      const snapshot = this.#packages.peek(id);
      if (snapshot !== undefined && isListed(snapshot)) this.#join(list, id);
    }
  }

  #join(list: WatchedPackages, id: number): void {
    list.ids.add(id);
    const lists = this.#watching.get(id);
    if (lists === undefined) this.#watching.set(id, new Set([list]));
    else lists.add(list);
  }

  #leave(list: WatchedPackages, id: number): void {
    list.ids.delete(id);
    const lists = this.#watching.get(id);
    lists?.delete(list);
    if (lists === undefined || lists.size > 0) return;
    this.#watching.delete(id);
    this.#rendered.delete(id);
    this.#changed.delete(id);
    this.#removed.delete(id);
  }
}

function nameOf(ids: readonly number[] | undefined, format: LiveFormat): string {
  return `${format} ${ids === undefined ? 'first' : ids.join('.')}`;
}

/** The names of the lists of the first listed packages, one for each format. */
const firstNames = liveFormats.map((format) => nameOf(undefined, format));
