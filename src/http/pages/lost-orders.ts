import type { Context } from 'hono';
import { getCookie } from 'hono/cookie';
import type { Order } from '../../domain/order.ts';
import { type PackageSnapshot, packageIdMax } from '../../domain/travel-package.ts';
import type { PackagesPage } from '../../engine/engine.ts';
import { UnderWay } from '../../lib/under-way.ts';
import { StoreUnavailableError } from '../../storage/store.ts';
import { packageIdFrom } from '../inputs.ts';
import { take } from '../limits.ts';
import { recentOrders, rememberOrders } from '../order-access.ts';
import { forgetFormKeys, openFormKeys } from './form-keys.ts';
import type { PageServices } from './responses.ts';

/** The result of a search for orders whose answer was lost. */
interface LostOrders {
  /** Orders whose answer was lost, newest first. This response adds these orders to the browser's cookie. */
  readonly found: readonly Order[];
  /** Whether an order may still appear, because a purchase is being stored or the store is unavailable. */
  readonly isPending: boolean;
  /** Whether the whole store was searched and there is no order. */
  readonly isNone: boolean;
}

const notSearched: LostOrders = { found: [], isPending: false, isNone: false };

/**
 * A cookie that `purchase-store.js` writes: the ids of packages with unanswered purchases, separated by dots, or `0`.
 * The cookie only says where to search, so it needs no signature. Browsers without scripts do not have this cookie.
 */
const hintName = 'sent';

/** The most packages that one page load searches, each with a read of the store. */
const searchedMax = 100;

/** Finds orders whose answer was lost. Shared by all pages of an app. */
export class LostOrderFinder {
  readonly #services: PageServices;
  /** Keys of purchases that this process is storing now. A search does not find the orders of these purchases yet. */
  readonly underWay = new UnderWay();

  constructor(services: PageServices) {
    this.#services = services;
  }

  /** Whether this browser runs our script. If so, the script itself asks for the orders of its unanswered purchases. */
  hasScript(c: Context): boolean {
    return getCookie(c, hintName) !== undefined;
  }

  /**
   * Searches for the orders of this browser's forms. A browser with our script names the packages to search, usually
   * none, so thousands of reloads cost the store nothing. Without the script, searches all packages that are not
   * archived and whose sale has opened, up to {@link searchedMax}.
   * @param isCounted the request already counts for the look-up limit.
   */
  async find(c: Context, isCounted = false): Promise<LostOrders> {
    const { limits, settings } = this.#services;
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
   * Finds an order of this browser for the package, if the order has a place or may still get one. Searches the cookie
   * of recent orders. Without scripts, also searches the keys of other forms, because the answer to the first purchase
   * may have been lost. Returns undefined if `key` already has an order: the purchase is then a repetition and buys
   * nothing (promise Q7).
   */
  async liveOrderHere(c: Context, packageId: number, key: string): Promise<Order | undefined> {
    const { engine, settings } = this.#services;
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
      // The purchase itself will fail with the same error and report it.
      if (error instanceof StoreUnavailableError) return undefined;
      throw error;
    }
  }

  async #packagesToSearch(c: Context): Promise<number[]> {
    const { engine, clock } = this.#services;
    const hint = getCookie(c, hintName)?.slice(0, 200);
    if (hint !== undefined) {
      const named = new Set(hint.split('.').map((text) => packageIdFrom(text) ?? packageIdMax + 1));
      const found = await Promise.all([...named].map((id) => engine.package(id)));
      return found.filter((snapshot) => snapshot !== undefined).map(idOf);
    }
    const found: number[] = [];
    let page: PackagesPage;
    let above = 0;
    do {
      page = await engine.packages({ group: 'current', from: { above }, limit: 10 * searchedMax });
      found.push(...page.items.filter((snapshot) => mayHaveSold(snapshot, clock.now())).map(idOf));
      above = page.next ?? 0;
    } while (found.length <= searchedMax && page.next !== undefined);
    return found;
  }

  async #ordersOf(packageIds: readonly number[], keys: readonly string[]): Promise<Order[]> {
    const { engine } = this.#services;
    const searched = packageIds.slice(0, searchedMax);
    const found = await Promise.all(searched.map((id) => engine.ordersByKey(id, keys)));
    return found.flat().sort((a, b) => b.createdAt - a.createdAt);
  }

  /** Adds orders to this browser's cookie. Returns the orders that the cookie did not contain. */
  async #tell(c: Context, orders: readonly Order[]): Promise<Order[]> {
    const { settings } = this.#services;
    const known = await recentOrders(c, settings);
    const lost = orders.filter(({ id }) => !known.includes(id));
    if (lost.length > 0) await rememberOrders(c, settings, ...lost.map(({ id }) => id));
    const answered = orders.map(({ key = '' }) => key);
    forgetFormKeys(c, settings, answered);
    return lost;
  }
}

function idOf({ package: { id } }: PackageSnapshot): number {
  return id;
}

/**
 * Whether a form of the last day may have bought the package. False before the sale opens, when most reloads happen.
 * False for archived packages, which had no unfinished orders when they were archived.
 */
function mayHaveSold({ package: { opensAt, archived } }: PackageSnapshot, now: number): boolean {
  return archived !== true && (opensAt === undefined || opensAt <= now);
}

/** Whether the order has a place or may still get one. */
function hasPlace({ status }: Order): boolean {
  return status === 'confirmed' || status === 'payable' || status === 'held' || status === 'queued';
}
