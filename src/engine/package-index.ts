import { isListed, type PackageSnapshot } from '../domain/travel-package.ts';
import type { InventoryTotals, PackageGroup, PackagesPage, PackagesQuery } from './engine.ts';

export interface FoundIds extends Omit<PackagesPage, 'items'> {
  readonly ids: readonly number[];
}

/** How many packages a search looks at before other work of the event loop has its turn: about a millisecond. */
const searchSlice = 5_000;

type Totals = { -readonly [Name in keyof InventoryTotals]: number };

function noTotals(): Totals {
  return { quota: 0, remaining: 0, held: 0, confirmed: 0, cancelling: 0, waiting: 0 };
}

/** Which ids belong to a group, as last sorted. */
interface Group {
  readonly has: (snapshot: PackageSnapshot) => boolean;
  /** Sorted. Undefined if the group has changed since. */
  ids: number[] | undefined;
}

/**
 * Keeps sorted ids, sums and busy packages up to date with each change of a package, so that no list, page or metric
 * has to visit every package.
 */
export class PackageIndex {
  readonly #peek: (id: number) => PackageSnapshot | undefined;
  readonly #takeTurn: () => Promise<void>;
  /** All ids. New ids may come after greater ones: see `#isSorted`. */
  #ids: number[] = [];
  #isSorted = true;
  readonly #groups: Readonly<Record<Exclude<PackageGroup, 'all'>, Group>> = {
    listed: { has: isListed, ids: undefined },
    current: { has: isCurrent, ids: undefined },
    archived: { has: (snapshot) => !isCurrent(snapshot), ids: undefined },
  };
  readonly #totals = { current: noTotals(), archived: noTotals() };
  readonly #busy = new Set<number>();

  /**
   * @param peek the present snapshot of a package.
   * @param takeTurn resolves when other work of the event loop has had its turn.
   */
  constructor(peek: (id: number) => PackageSnapshot | undefined, takeTurn: () => Promise<void>) {
    this.#peek = peek;
    this.#takeTurn = takeTurn;
  }

  /** Call this when a package was added, changed or removed. */
  change(id: number, before: PackageSnapshot | undefined, after: PackageSnapshot | undefined): void {
    if (before !== undefined) this.#add(before, -1);
    if (after !== undefined) this.#add(after, 1);
    if (after !== undefined && isBusy(after)) this.#busy.add(id);
    else this.#busy.delete(id);
    if (before === undefined && after !== undefined) {
      this.#isSorted &&= id > (this.#ids.at(-1) ?? 0);
      this.#ids.push(id);
    }
    if (before !== undefined && after === undefined) this.#ids = this.#ids.filter((each) => each !== id);
    for (const group of Object.values(this.#groups)) {
      const had = before !== undefined && group.has(before);
      if (had !== (after !== undefined && group.has(after))) group.ids = undefined;
    }
  }

  /** The sorted ids of a group. Do not change the array. New ids may be added to its end. */
  ids(name: PackageGroup): readonly number[] {
    if (!this.#isSorted) this.#ids = this.#ids.toSorted((one, other) => one - other);
    this.#isSorted = true;
    // Not a group, because a read of all packages asks for these ids after each page.
    if (name === 'all') return this.#ids;
    const group = this.#groups[name];
    group.ids ??= this.#ids.filter((id) => group.has(this.#peek(id) as PackageSnapshot));
    return group.ids;
  }

  /** The ids of a page. Other work of the event loop runs during a search. */
  async find(query: PackagesQuery): Promise<FoundIds> {
    const { group, flight = '', stay = '', limit } = query;
    const matching = flight === '' && stay === '' ? this.ids(group) : await this.#search(group, flight, stay);
    const index = beginOf(matching, query);
    const ids = matching.slice(index, index + limit);
    const last = ids.at(-1);
    const isLast = last === undefined || index + limit >= matching.length;
    return { ids, index, total: matching.length, ...(isLast ? {} : { next: last }) };
  }

  async #search(name: PackageGroup, flight: string, stay: string): Promise<number[]> {
    const text = flight.toLowerCase();
    const matches = ({ package: wanted }: PackageSnapshot) =>
      (stay === '' || wanted.stay === stay) && wanted.flight.toLowerCase().includes(text);
    const found: number[] = [];
    const ids = this.ids(name);
    for (let from = 0; from < ids.length; from += searchSlice) {
      if (from > 0) await this.#takeTurn();
      for (const id of ids.slice(from, from + searchSlice)) {
        const snapshot = this.#peek(id);
        if (snapshot !== undefined && matches(snapshot)) found.push(id);
      }
    }
    return found;
  }

  /** The sums over all packages that are not archived, or over the archived ones. */
  totals(name: 'current' | 'archived'): InventoryTotals {
    return this.#totals[name];
  }

  /** The packages with orders in the queue, being booked or being cancelled. */
  busy(): PackageSnapshot[] {
    return [...this.#busy].flatMap((id) => this.#peek(id) ?? []);
  }

  #add(snapshot: PackageSnapshot, times: 1 | -1): void {
    const { inventory } = snapshot;
    const total = this.#totals[isCurrent(snapshot) ? 'current' : 'archived'];
    total.quota += times * snapshot.package.quota;
    for (const name of ['remaining', 'held', 'confirmed', 'cancelling', 'waiting'] as const) {
      total[name] += times * inventory[name];
    }
  }
}

function isCurrent({ package: { archived } }: PackageSnapshot): boolean {
  return archived !== true;
}

function isBusy({ inventory: { waiting, held, cancelling } }: PackageSnapshot): boolean {
  return waiting + held + cancelling > 0;
}

/** Where a page begins among the sorted ids. */
function beginOf(ids: readonly number[], { from = { index: 0 }, limit }: PackagesQuery): number {
  if ('above' in from) return firstAbove(ids, from.above);
  const found = 'id' in from ? firstAbove(ids, from.id) - 1 : from.index;
  const index = 'id' in from && ids[found] !== from.id ? 0 : Math.min(found, ids.length - 1);
  return Math.max(0, Math.floor(index / limit) * limit);
}

/** The position of the first id that is greater than `above` in sorted ids. */
export function firstAbove(ids: readonly number[], above: number): number {
  let [from, to] = [0, ids.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((ids[middle] as number) > above) to = middle;
    else from = middle + 1;
  }
  return from;
}
