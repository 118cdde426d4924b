import type { ClientSession, FindOptions, ReadConcernLike } from 'mongodb';
import type { Order } from '../../domain/order.ts';
import type { PackageSnapshot } from '../../domain/travel-package.ts';
import { defined } from '../../lib/defined.ts';
import type { Page } from '../../lib/page.ts';
import type { OperatorEvent } from '../operator-log.ts';
import type { OrderSelection, OwnerRecord, VersionedPackage } from '../store.ts';
import {
  eventCursorAfter,
  orderCursorAfter,
  pageOf,
  parseEventCursor,
  parseOrderCursor,
} from '../store-helpers.ts';
import { type Collections, live, unfinished } from './collections.ts';
import { operatorEventFrom, orderFrom, refuseNewer, snapshotFrom } from './documents.ts';

export interface ReadOptions {
  readonly session: ClientSession;
  readonly readConcern: ReadConcernLike;
  /** The server aborts the query after this time. */
  readonly maxTimeMS: number;
}

/** A batch larger than any result, so that only the size in bytes can cause a second round trip. */
export const inOneAnswer = { batchSize: 100_000 };

/** The options for the first documents, in one answer. */
export function first(limit: number) {
  return { limit, batchSize: limit + 1 };
}

/** The queries, on the primary, in one session. The methods throw the driver's errors. */
export class Reads {
  readonly #collections: Collections;
  readonly #options: ReadOptions;

  constructor(collections: Collections, options: ReadOptions) {
    this.#collections = collections;
    this.#options = options;
  }

  async packages(): Promise<PackageSnapshot[]> {
    const { packages } = this.#collections;
    const found = packages.find({}, { ...this.#options, ...inOneAnswer, sort: { _id: 1 } });
    return (await found.toArray()).map(snapshotFrom);
  }

  async package(id: number): Promise<PackageSnapshot | undefined> {
    const found = await this.#collections.packages.findOne({ _id: id }, this.#options);
    return found === null ? undefined : snapshotFrom(found);
  }

  /** Reads the package before the orders, because a later change of an order also changes the fence. */
  async versionedPackage(
    id: number,
    selection: OrderSelection = { ids: [] },
  ): Promise<VersionedPackage | undefined> {
    const found = await this.#collections.packages.findOne({ _id: id }, this.#options);
    if (found === null) return undefined;
    const { epoch, seq } = found;
    return { ...snapshotFrom(found), fence: { epoch, seq }, orders: await this.#selected(id, selection) };
  }

  async owner(packageId: number): Promise<string | undefined> {
    const options = { ...this.#options, projection: { owner: 1 } };
    const found = await this.#collections.packages.findOne({ _id: packageId }, options);
    return found?.owner?.instance;
  }

  async ownerRecords(): Promise<OwnerRecord[]> {
    const options = { ...this.#options, ...inOneAnswer, projection: { owner: 1, epoch: 1 } };
    const found = await this.#collections.packages.find({}, options).sort({ _id: 1 }).toArray();
    return found.map(({ _id, owner, epoch }) => ({
      packageId: _id,
      ...defined({ instance: owner?.instance }),
      epoch,
    }));
  }

  async packagesWithUnfinished(): Promise<number[]> {
    const ids = await this.#collections.orders.distinct('packageId', unfinished, this.#options);
    return ids.sort((one, other) => one - other);
  }

  unfinished(packageId: number): Promise<Order[]> {
    return this.#orders({ packageId, ...unfinished }, { ...inOneAnswer, sort: { number: 1 } });
  }

  async orders(ids: readonly string[]): Promise<Order[]> {
    return ids.length === 0 ? [] : this.#orders({ _id: { $in: [...ids] } });
  }

  async ordersByKey(packageId: number, keys: readonly string[]): Promise<Order[]> {
    return keys.length === 0 ? [] : this.#orders({ packageId, key: { $in: [...keys] } });
  }

  /** Orders by key, of several packages in one query. */
  async ordersByKeys(keysOf: ReadonlyMap<number, ReadonlySet<string>>): Promise<Order[]> {
    const ofPackages = [...keysOf].map(([packageId, keys]) => ({ packageId, key: { $in: [...keys] } }));
    const [only, ...others] = ofPackages;
    if (only === undefined) return [];
    return this.#orders(others.length === 0 ? only : { $or: ofPackages });
  }

  async liveOrdersByEmail(packageId: number, emails: readonly string[]): Promise<Map<string, number>> {
    if (emails.length === 0) return new Map();
    const counts = this.#collections.orders.aggregate<{ _id: string; count: number }>(
      [
        { $match: { packageId, email: { $in: [...emails] }, ...live } },
        { $group: { _id: '$email', count: { $sum: 1 } } },
      ],
      { ...this.#options, ...inOneAnswer },
    );
    return new Map((await counts.toArray()).map(({ _id, count }) => [_id, count]));
  }

  /** The cursor is the number of the last order. */
  async ordersPage(packageId: number, cursor: string | undefined, limit: number): Promise<Page<Order>> {
    const filter = { packageId, number: { $gt: Number(cursor ?? 0) } };
    const orders = await this.#orders(filter, { ...first(limit), sort: { number: 1 } });
    return pageOf(orders, limit, ({ number }) => String(number));
  }

  ordersBelow(packageId: number, number: number | undefined, limit: number): Promise<Order[]> {
    const filter = { packageId, number: { $lt: number ?? Number.MAX_SAFE_INTEGER } };
    return this.#orders(filter, { ...first(limit), sort: { number: -1 } });
  }

  /** The cursor is the last number of the span that the page has read. */
  async ordersOfEmail(
    packageId: number,
    email: string,
    cursor: string | undefined,
    span: number,
  ): Promise<Page<Order>> {
    const from = Number(cursor ?? 0);
    const [last] = await this.ordersBelow(packageId, undefined, 1);
    const filter = { packageId, number: { $gt: from, $lte: from + span }, email };
    const items = await this.#orders(filter, { ...inOneAnswer, hint: 'by_number', sort: { number: 1 } });
    return from + span < (last?.number ?? 0) ? { items, next: String(from + span) } : { items };
  }

  async ordersByEmail(email: string, cursor: string | undefined, limit: number): Promise<Page<Order>> {
    const { packageId, number } = parseOrderCursor(cursor);
    const below = [{ packageId: { $lt: packageId } }, { packageId, number: { $lt: number } }];
    const filter = { email, ...(cursor === undefined ? {} : { packageId: { $lte: packageId }, $or: below }) };
    const orders = await this.#orders(filter, { ...first(limit), sort: { packageId: -1, number: -1 } });
    return pageOf(orders, limit, orderCursorAfter);
  }

  async operatorEvents(cursor: string | undefined, limit: number): Promise<Page<OperatorEvent>> {
    const last = parseEventCursor(cursor);
    const before =
      last === undefined ? {} : { $or: [{ at: { $lt: last.at } }, { at: last.at, _id: { $lt: last.id } }] };
    const options = { ...this.#options, limit };
    const found = this.#collections.operatorEvents.find(before, options).sort({ at: -1, _id: -1 });
    return pageOf((await found.toArray()).map(operatorEventFrom), limit, eventCursorAfter);
  }

  async setting(name: string): Promise<string | undefined> {
    const found = await this.#collections.settings.findOne({ _id: name }, this.#options);
    if (found) refuseNewer(found);
    return found?.value;
  }

  async settingsNamed(prefix: string): Promise<Map<string, string>> {
    // All names with the prefix are below this bound, because no name contains a greater character.
    const filter = { _id: { $gte: prefix, $lt: `${prefix}\uffff` } };
    const found = this.#collections.settings.find(filter, { ...this.#options, ...inOneAnswer });
    return new Map((await found.toArray()).map(({ _id, value }) => [_id, value]));
  }

  async ping(): Promise<void> {
    await this.#collections.packages.findOne({}, { ...this.#options, projection: { _id: 1 } });
  }

  async #selected(packageId: number, selection: OrderSelection): Promise<Order[]> {
    const sort = { number: 1 } as const;
    if ('ids' in selection) {
      const { ids } = selection;
      return ids.length === 0 ? [] : this.#orders({ _id: { $in: [...ids] }, packageId }, { sort });
    }
    const { statuses, max } = selection;
    if (statuses.length === 0) return [];
    const filter = { packageId, ...unfinished, status: { $in: [...statuses] } };
    return this.#orders(filter, { ...first(max), sort });
  }

  async #orders(filter: object, options: FindOptions = inOneAnswer): Promise<Order[]> {
    const found = this.#collections.orders.find(filter, { ...this.#options, ...options });
    return (await found.toArray()).map(orderFrom);
  }
}
