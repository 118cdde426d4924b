import { randomInt } from 'node:crypto';
import type { Change, Fence } from '../domain/messages.ts';
import type { Order } from '../domain/order.ts';
import type { Page } from '../lib/page.ts';
import { publicKeyPrefix } from '../suppliers/suppliers.ts';
import type { OperatorEvent } from './operator-log.ts';
import { FencedError } from './store.ts';

/**
 * The page of items, and the cursor of the next page. Both stores make the cursor from the last item of a full page.
 */
export function pageOf<Item>(
  items: readonly Item[],
  limit: number,
  cursorAfter: (last: Item) => string,
): Page<Item> {
  return { items, ...nextAfter(items, limit, cursorAfter) };
}

/** The cursor of the next page, from what was read for this one, readable or not. */
export function nextAfter<Row>(
  rows: readonly Row[],
  limit: number,
  cursorAfter: (last: Row) => string,
): { next?: string } {
  const last = rows.at(-1);
  return rows.length < limit || last === undefined ? {} : { next: cursorAfter(last) };
}

/** Orders in one page of a takeover: reading them keeps this process busy for about 20 ms. */
export const takeoverPage = 2_000;

/**
 * Reads the unfinished orders of a package for its new owner, page by page.
 * @param readPage reads the orders above a number, by number.
 */
export async function readUnfinished(
  readPage: (above: number | undefined, limit: number) => Promise<readonly Order[]>,
  limit = takeoverPage,
): Promise<Order[]> {
  const orders: Order[] = [];
  for (;;) {
    const page = await readPage(orders.at(-1)?.number, limit);
    for (const order of page) orders.push(order);
    if (page.length < limit) return orders;
  }
}

/**
 * Parses the cursor of a page in descending order: the package and the number. Without a valid cursor, returns a
 * position above all orders.
 */
export function parseOrderCursor(cursor: string | undefined): { packageId: number; number: number } {
  const found = /^(?<packageId>\d{1,15})-(?<number>\d{1,15})$/.exec(cursor ?? '')?.groups;
  const top = Number.MAX_SAFE_INTEGER;
  return { packageId: Number(found?.packageId ?? top), number: Number(found?.number ?? top) };
}

export function orderCursorAfter({ packageId, number }: Pick<Order, 'packageId' | 'number'>): string {
  return `${packageId}-${number}`;
}

/** The time and id in the cursor of a page of operator events; undefined for the first page. */
export function parseEventCursor(cursor: string | undefined): { at: number; id: string } | undefined {
  const [, at, id = ''] = /^(\d+)-(.*)$/.exec(cursor ?? '') ?? [];
  return at === undefined ? undefined : { at: Number(at), id };
}

export function eventCursorAfter({ at, id }: Pick<OperatorEvent, 'at' | 'id'>): string {
  return `${at}-${id}`;
}

/**
 * A random first seq for a package, below 2^47. A package may get the id of a removed package. With a random seq, the
 * fence of the removed package's owner does not match the new package.
 */
export function firstSeq(): number {
  return randomInt(2 ** 47);
}

/**
 * Refuses a change that contains another package or an order of another package.
 * @throws Error for such a change.
 */
export function refuseForeign(packageId: number, change: Change): void {
  const { package: replacement, inserted, updated, erased = [] } = change;
  if (replacement && replacement.id !== packageId) {
    throw new Error(`package ${replacement.id} cannot replace package ${packageId}`);
  }
  for (const orders of [inserted, updated, erased]) {
    for (const order of orders) {
      if (order.packageId === packageId) continue;
      throw new Error(`order ${order.id} is of package ${order.packageId}, not ${packageId}`);
    }
  }
}

/** The first text after all keys of public reservations. The prefix ends with a colon, which a semicolon follows. */
export const publicKeysEnd = `${publicKeyPrefix.slice(0, -1)};`;

/** The error for a package that `removePackage` cannot remove. */
export function notRemovable(packageId: number, { epoch, seq }: Fence): FencedError {
  return new FencedError(`package ${packageId} is not there at epoch ${epoch}, seq ${seq}, without an order`);
}
