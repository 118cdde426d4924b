import type { OrderStatus } from '../../domain/order.ts';
import { defined } from '../../lib/defined.ts';
import type { Store, VersionedPackage } from '../../storage/store.ts';

/** The most orders of one package that are read at once. */
const pageMax = 1_000;

/**
 * Reads the orders that processes left unfinished, in turn and a page at a time. Orders that cannot be finished stay in
 * the store, and must not hide later ones.
 */
export class LeftOrders {
  readonly #store: Pick<Store, 'versionedPackage'>;
  readonly #statuses: readonly OrderStatus[];
  /** The number of the last order that was read, by package. A package is absent when the first page is next. */
  readonly #readUpTo = new Map<number, number>();

  /** @param statuses the statuses of the orders that are read */
  constructor(store: Pick<Store, 'versionedPackage'>, statuses: readonly OrderStatus[]) {
    this.#store = store;
    this.#statuses = statuses;
  }

  /**
   * The package with its next page of orders. The first page follows the last one. Undefined if there is no such package.
   * @throws UnreadableError if the package or one of the orders cannot be read.
   */
  async next(packageId: number): Promise<VersionedPackage | undefined> {
    const above = this.#readUpTo.get(packageId);
    const page = { statuses: this.#statuses, max: pageMax, ...defined({ above }) };
    const versioned = await this.#store.versionedPackage(packageId, page);
    const orders = versioned?.orders ?? [];
    const last = orders.at(-1);
    if (last === undefined || orders.length < pageMax) this.#readUpTo.delete(packageId);
    else this.#readUpTo.set(packageId, last.number);
    return versioned;
  }
}
