import { type OrdersPage, type Store, UnreadableError } from '../storage/store.ts';

/** The part of the store that a walk through all orders reads. */
export type OrderPagesStore = Pick<Store, 'package' | 'packageWithOrdersAbove' | 'ordersPage'>;

export interface OrderPagesOptions {
  /** The most orders in a page. */
  readonly pageSize: number;
  /** Only the orders of this package. */
  readonly packageId?: number | undefined;
}

/**
 * All orders, page by page, in the order of their packages and numbers. Orders that are made after their package was
 * reached are left out, so that a slow reader does not follow a sale for ever.
 * @throws StoreUnavailableError
 */
export async function* orderPages(
  store: OrderPagesStore,
  { pageSize, packageId }: OrderPagesOptions,
): AsyncGenerator<Omit<OrdersPage, 'next'>> {
  const following = (id: number) => (packageId === undefined ? store.packageWithOrdersAbove(id) : undefined);
  const first = packageId ?? (await following(0));
  for (let id = first; id !== undefined; id = await following(id)) {
    const last = await lastNumber(store, id);
    let cursor: string | undefined;
    do {
      const { items, next, ...rest } = await store.ordersPage(id, cursor, pageSize);
      const known = items.filter(({ number }) => number <= last);
      yield { items: known, ...rest };
      cursor = known.length < items.length ? undefined : next;
    } while (cursor !== undefined);
  }
}

/** The number of a package's newest order. No limit if the package cannot be read, because nobody sells it then. */
async function lastNumber(store: OrderPagesStore, packageId: number): Promise<number> {
  try {
    const found = await store.package(packageId);
    return found === undefined ? Number.POSITIVE_INFINITY : found.inventory.nextNumber - 1;
  } catch (error) {
    if (error instanceof UnreadableError) return Number.POSITIVE_INFINITY;
    throw error;
  }
}
