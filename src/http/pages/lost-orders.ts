import type { Context } from 'hono';
import { getCookie } from 'hono/cookie';
import type { Order } from '../../domain/order.ts';
import { type PackageSnapshot, packageIdMax } from '../../domain/travel-package.ts';
import { UnderWay } from '../../lib/under-way.ts';
import { StoreUnavailableError } from '../../storage/store.ts';
import { packageIdFrom } from '../inputs.ts';
import { take } from '../limits.ts';
import { recentOrders, rememberOrders } from '../order-access.ts';
import { forgetFormKeys, openFormKeys } from './form-keys.ts';
import type { PageServices } from './responses.ts';

/** The outcome of the order forms that a browser was given and has had no answer for. */
export interface LostOrders {
  /** Orders whose answer was lost, newest first. The present response adds them to the browser's cookie. */
  readonly found: readonly Order[];
  /** An order may still appear: a purchase is being stored, or the store cannot be read now. */
  readonly isPending: boolean;
  /** The store was searched, and there is no order. */
  readonly isNone: boolean;
}

const notSearched: LostOrders = { found: [], isPending: false, isNone: false };

/**
 * Written by `purchase-store.js`: the packages whose purchases it has had no answer for, with dots between, or `0`. It is a
 * hint for where to look and no proof, so it needs no signature. A browser without it runs no scripts.
 */
const hintName = 'sent';

/** The most packages that one page load searches, each with a read of the store. */
const searchedMax = 100;

/** Finds orders whose answer was lost. One for all pages of an app. */
export class LostOrderFinder {
  readonly #deps: PageServices;
  /** Keys of purchases that this process is storing: they cannot be found yet. */
  readonly underWay = new UnderWay();

  constructor(deps: PageServices) {
    this.#deps = deps;
  }

  /** Whether this browser runs our script, which looks for what it sent by itself. */
  hasScript(c: Context): boolean {
    return getCookie(c, hintName) !== undefined;
  }

  /**
   * Looks for orders of this browser's forms. A browser with our script names the packages to search, mostly none: so a
   * crowd that reloads the page costs the store nothing. Without the script, all packages are searched whose sale
   * has opened and that are not archived, up to {@link searchedMax} of them.
   * @param isCounted the request has taken a look-up from the client's limit already.
   */
  async find(c: Context, isCounted = false): Promise<LostOrders> {
    const { limits, settings } = this.#deps;
    const keys = openFormKeys(c, settings);
    if (keys.length === 0) return notSearched;
    const packageIds = await this.#packagesToSearch(c);
    if (packageIds.length === 0) return notSearched;
    if (!isCounted && limits !== undefined && (await take(c, limits.lookUp)) !== undefined)
      return notSearched;
    const isPending = keys.some((key) => this.underWay.has(key));
    try {
      const found = await this.#ordersOf(packageIds, keys);
      const isAll = packageIds.length <= searchedMax;
      if (found.length === 0) return { found, isPending, isNone: isAll && !isPending };
      return { found: await this.#tell(c, found), isPending, isNone: false };
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      return { found: [], isPending: true, isNone: false };
    }
  }

  /**
   * An order of this browser for a package that has a place or may get one, found by the cookie of its orders and,
   * without scripts, by the keys of its other forms: the answer of the first purchase may be lost. Undefined also where
   * the key has an order already: it is a repetition and buys nothing more (rule Q7).
   */
  async liveOrderHere(c: Context, packageId: number, key: string): Promise<Order | undefined> {
    const { engine, settings } = this.#deps;
    const ids = await recentOrders(c, settings);
    const otherKeys = this.hasScript(c) ? [] : openFormKeys(c, settings).filter((each) => each !== key);
    if (ids.length === 0 && otherKeys.length === 0) return undefined;
    const isLive = (order: Order) => order.packageId === packageId && hasPlace(order);
    try {
      const known = ids.length === 0 ? [] : await engine.orders(ids);
      const live = known.find(isLive);
      if (live?.key === key || (live === undefined && otherKeys.length === 0)) return undefined;
      const sent = await engine.ordersByKey(packageId, [key, ...otherKeys]);
      return sent.some((order) => order.key === key) ? undefined : (live ?? sent.find(isLive));
    } catch (error) {
      // The purchase itself says so better.
      if (error instanceof StoreUnavailableError) return undefined;
      throw error;
    }
  }

  async #packagesToSearch(c: Context): Promise<number[]> {
    const { engine, clock } = this.#deps;
    const hint = getCookie(c, hintName)?.slice(0, 200);
    const snapshots = await engine.packages();
    if (hint === undefined) {
      return snapshots.filter((snapshot) => mayHaveSold(snapshot, clock.now())).map(idOf);
    }
    const named = new Set(hint.split('.').map((text) => packageIdFrom(text) ?? packageIdMax + 1));
    return snapshots.map(idOf).filter((id) => named.has(id));
  }

  async #ordersOf(packageIds: readonly number[], keys: readonly string[]): Promise<Order[]> {
    const { engine } = this.#deps;
    const searched = packageIds.slice(0, searchedMax);
    const found = await Promise.all(searched.map((id) => engine.ordersByKey(id, keys)));
    return found.flat().sort((a, b) => b.createdAt - a.createdAt);
  }

  /** Tells the browser of orders; returns those that it did not know. */
  async #tell(c: Context, orders: readonly Order[]): Promise<Order[]> {
    const { settings } = this.#deps;
    const known = await recentOrders(c, settings);
    const lost = orders.filter(({ id }) => !known.includes(id));
    if (lost.length > 0) {
      const ids = lost.map(({ id }) => id);
      await rememberOrders(c, settings, ids);
    }
    forgetFormKeys(
      c,
      settings,
      orders.map(({ key = '' }) => key),
    );
    return lost;
  }
}

function idOf({ package: { id } }: PackageSnapshot): number {
  return id;
}

/**
 * Whether a form of the last day may have bought it. Most people look before a sale opens, when nothing is bought yet.
 * Archived packages only become more, and none of their orders was under way when they were archived.
 */
function mayHaveSold({ package: { opensAt, archived } }: PackageSnapshot, now: number): boolean {
  return archived !== true && (opensAt === undefined || opensAt <= now);
}

/** Whether another order would be a second one: those that end without a trip do not count. */
function hasPlace({ status }: Order): boolean {
  return status === 'confirmed' || status === 'held' || status === 'queued';
}
