import type { ClientSession, FindOptions, ReadConcernLike } from 'mongodb';
import { type Order, settledStatuses } from '../../domain/order.ts';
import type { PackageSnapshot } from '../../domain/travel-package.ts';
import { defined } from '../../lib/defined.ts';
import type { Page } from '../../lib/page.ts';
import type { ArchivedCounts } from '../archive-store.ts';
import type { OperatorEvent } from '../operator-log.ts';
import {
  type OrderSelection,
  type OrdersPage,
  type OwnerRecord,
  UnreadableError,
  type VersionedPackage,
} from '../store.ts';
import {
  eventCursorAfter,
  nextAfter,
  orderCursorAfter,
  parseEventCursor,
  parseOrderCursor,
} from '../store-helpers.ts';
import { readable, sift, type UnreadableDocuments } from '../unreadable.ts';
import { type Collections, live, unfinished, withInFlight } from './collections.ts';
import {
  inFlightOf,
  type OrderDocument,
  operatorEventFrom,
  orderFrom,
  type PackageDocument,
  refuseNewer,
  snapshotFrom,
} from './documents.ts';

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
  readonly #unreadable: UnreadableDocuments;

  constructor(collections: Collections, options: ReadOptions, unreadable: UnreadableDocuments) {
    this.#collections = collections;
    this.#options = options;
    this.#unreadable = unreadable;
  }

  async packagesPage(cursor: string | undefined, limit: number): Promise<Page<PackageSnapshot>> {
    const documents = await this.#packagePage(cursor, limit).toArray();
    const next = packagesAfter(documents, limit);
    this.#unreadable.forgetPackagesBut(cursor, next, () => documents.map(({ _id }) => _id));
    return { items: sift(documents.map((document) => this.#package(document))).items, ...next };
  }

  /** The packages with these ids. An id without a package is absent. */
  async packagesById(
    ids: readonly number[],
  ): Promise<ReadonlyMap<number, PackageSnapshot | UnreadableError>> {
    const options = { ...this.#options, ...inOneAnswer };
    const documents = await this.#collections.packages.find({ _id: { $in: [...ids] } }, options).toArray();
    return this.#byId(ids, new Map(documents.map((document) => [document._id, this.#package(document)])));
  }

  /** Like {@link packagesById}, with the documents. */
  async packageDocuments(
    ids: readonly number[],
  ): Promise<ReadonlyMap<number, ReadPackage | UnreadableError>> {
    const options = { ...this.#options, ...inOneAnswer };
    const documents = await this.#collections.packages.find({ _id: { $in: [...ids] } }, options).toArray();
    return new Map(
      documents.map((document) => {
        const snapshot = this.#package(document);
        return [document._id, snapshot instanceof UnreadableError ? snapshot : { snapshot, document }];
      }),
    );
  }

  async package(id: number): Promise<PackageSnapshot | undefined> {
    const found = await this.#collections.packages.findOne({ _id: id }, this.#options);
    return found === null ? undefined : readable(this.#package(found));
  }

  /** Reads the package before the orders, because a later change of an order also changes the fence. */
  async versionedPackage(
    id: number,
    selection: OrderSelection = { ids: [] },
  ): Promise<VersionedPackage | undefined> {
    const found = await this.#collections.packages.findOne({ _id: id }, this.#options);
    if (found === null) return undefined;
    const { epoch, seq } = found;
    const snapshot = readable(this.#package(found));
    return { ...snapshot, fence: { epoch, seq }, orders: await this.#selected(found, selection) };
  }

  async owner(packageId: number): Promise<string | undefined> {
    const options = { ...this.#options, projection: { owner: 1 } };
    const found = await this.#collections.packages.findOne({ _id: packageId }, options);
    return found?.owner?.instance;
  }

  async ownersOf(packageIds: readonly number[]): Promise<OwnerRecord[]> {
    if (packageIds.length === 0) return [];
    const options = { ...this.#options, ...inOneAnswer, projection: ownerFields };
    const found = this.#collections.packages.find({ _id: { $in: [...packageIds] } }, options);
    return (await found.toArray()).map(ownerRecord);
  }

  async ownersPage(cursor: string | undefined, limit: number): Promise<Page<OwnerRecord>> {
    const found = await this.#packagePage(cursor, limit).project<PackageDocument>(ownerFields).toArray();
    return { items: found.map(ownerRecord), ...packagesAfter(found, limit) };
  }

  async lastPackageId(): Promise<number> {
    const options = { ...this.#options, projection: { _id: 1 }, sort: { _id: -1 } } as const;
    return (await this.#collections.packages.findOne({}, options))?._id ?? 0;
  }

  /** Reads the packages before the orders: an order that its package no longer names is in the index, or has ended. */
  async packagesWithUnfinished(): Promise<number[]> {
    const { packages, orders } = this.#collections;
    // MongoDB uses an index only for a condition on its first field.
    const filter = { epoch: { $gte: 0 }, ...withInFlight };
    const options = { ...this.#options, ...inOneAnswer, projection: { _id: 1 } };
    const naming = await packages.find(filter, options).toArray();
    const ids = await orders.distinct('packageId', unfinished, this.#options);
    return [...new Set([...naming.map(({ _id }) => _id), ...ids])].sort((one, other) => one - other);
  }

  /**
   * The unfinished orders above a number, by number. Without a number, also those whose number is missing.
   * @throws UnreadableError
   */
  async unfinished(packageId: number, above: number | undefined, limit: number): Promise<Order[]> {
    const found = await this.#unfinished(await this.#inFlight([packageId]), limit, { packageId }, above);
    return found.map((document) => readable(this.#order(document)));
  }

  /** The unfinished orders of several packages, by package and number, at most `limit`. */
  async unfinishedOf(packageIds: readonly number[], limit: number): Promise<OrderOfPackage[]> {
    const inFlight = await this.#inFlight(packageIds);
    const documents = await this.#unfinished(inFlight, limit, { packageId: { $in: [...packageIds] } });
    return documents.map((document) => ({ packageId: document.packageId, order: this.#order(document) }));
  }

  async orders(ids: readonly string[]): Promise<Order[]> {
    return sift([...(await this.ordersById(ids)).values()]).items;
  }

  async ordersById(ids: readonly string[]): Promise<ReadonlyMap<string, Order | UnreadableError>> {
    if (ids.length === 0) return new Map();
    const documents = await this.#orderDocuments({ _id: { $in: [...ids] } });
    return this.#byId(ids, new Map(documents.map((document) => [document._id, this.#order(document)])));
  }

  async ordersByKey(packageId: number, keys: readonly string[]): Promise<Order[]> {
    if (keys.length === 0) return [];
    return (await this.#orders({ packageId, key: { $in: [...keys] } })).map(readable);
  }

  /** Orders by key, of several packages in one query. */
  async ordersByKeys(keysOf: ReadonlyMap<number, ReadonlySet<string>>): Promise<KeyedOrder[]> {
    const ofPackages = [...keysOf].map(([packageId, keys]) => ({ packageId, key: { $in: [...keys] } }));
    const [only, ...others] = ofPackages;
    if (only === undefined) return [];
    const documents = await this.#orderDocuments(others.length === 0 ? only : { $or: ofPackages });
    return documents.map((document) => {
      const { packageId, key } = document;
      return { packageId, key, order: this.#order(document) };
    });
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
  async ordersPage(packageId: number, cursor: string | undefined, limit: number): Promise<OrdersPage> {
    const filter = { packageId, ...aboveNumber(cursor === undefined ? undefined : Number(cursor)) };
    const documents = await this.#orderDocuments(filter, { ...first(limit), sort: { number: 1 } });
    return {
      ...sift(documents.map((document) => this.#order(document))),
      ...nextAfter(documents, limit, ({ number }) => String(number)),
    };
  }

  async packageWithOrdersAbove(packageId: number): Promise<number | undefined> {
    const options = {
      ...this.#options,
      projection: { packageId: 1 },
      sort: { packageId: 1, number: 1 },
    } as const;
    return (await this.#collections.orders.findOne({ packageId: { $gt: packageId } }, options))?.packageId;
  }

  async ordersBelow(packageId: number, number: number | undefined, limit: number): Promise<Order[]> {
    const items: Order[] = [];
    let below = number ?? Number.MAX_SAFE_INTEGER;
    for (;;) {
      const filter = { packageId, number: { $lt: below } };
      const documents = await this.#orderDocuments(filter, { ...first(limit), sort: { number: -1 } });
      items.push(...this.#readable(documents));
      // Unreadable orders are left out, so the page is filled up with the next ones.
      if (items.length >= limit || documents.length < limit) return items.slice(0, limit);
      below = documents.at(-1)?.number ?? 0;
    }
  }

  async ordersByEmail(email: string, cursor: string | undefined, limit: number): Promise<Page<Order>> {
    const { packageId, number } = parseOrderCursor(cursor);
    const below = [{ packageId: { $lt: packageId } }, { packageId, number: { $lt: number } }];
    const filter = { email, ...(cursor === undefined ? {} : { packageId: { $lte: packageId }, $or: below }) };
    const options = { ...first(limit), sort: { packageId: -1, number: -1 } } as const;
    const documents = await this.#orderDocuments(filter, options);
    return { items: this.#readable(documents), ...nextAfter(documents, limit, orderCursorAfter) };
  }

  async archivedCounts(packageId: number): Promise<ArchivedCounts> {
    const found = await this.#collections.archivedPackages.findOne({ _id: packageId }, this.#options);
    if (found) refuseNewer(found);
    return { orders: found?.orders ?? 0, confirmed: found?.confirmed ?? 0 };
  }

  async archivedIds(ids: readonly string[]): Promise<string[]> {
    if (ids.length === 0) return [];
    const options = { ...this.#options, ...inOneAnswer };
    const found = this.#collections.archivedOrders.find({ _id: { $in: [...ids] } }, options);
    return (await found.toArray()).map(({ _id }) => _id);
  }

  async operatorEvents(cursor: string | undefined, limit: number): Promise<Page<OperatorEvent>> {
    const last = parseEventCursor(cursor);
    const before =
      last === undefined ? {} : { $or: [{ at: { $lt: last.at } }, { at: last.at, _id: { $lt: last.id } }] };
    const options = { ...this.#options, limit };
    const found = this.#collections.operatorEvents.find(before, options).sort({ at: -1, _id: -1 });
    const documents = await found.toArray();
    const events = documents.map((document) =>
      this.#unreadable.read({ eventId: document._id }, () => operatorEventFrom(document)),
    );
    const next = nextAfter(documents, limit, ({ at, _id: id }) => eventCursorAfter({ at, id }));
    return { items: sift(events).items, ...next };
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

  async #selected(document: PackageDocument, selection: OrderSelection): Promise<Order[]> {
    const packageId = document._id;
    if ('ids' in selection) {
      const { ids } = selection;
      if (ids.length === 0) return [];
      const options = { sort: { number: 1 } } as const;
      return (await this.#orders({ _id: { $in: [...ids] }, packageId }, options)).map(readable);
    }
    const { statuses, max, above } = selection;
    if (statuses.length === 0) return [];
    const inFlight = statuses.includes('held') ? inFlightOf(document) : [];
    const filter = { packageId, status: { $in: [...statuses] } };
    const found = await this.#unfinished(inFlight, max, filter, above);
    return found.map((each) => readable(this.#order(each)));
  }

  /** The ids of the orders that these packages name. */
  async #inFlight(packageIds: readonly number[]): Promise<string[]> {
    const options = { ...this.#options, ...inOneAnswer, projection: { inFlight: 1 } };
    const found = this.#collections.packages.find({ _id: { $in: [...packageIds] } }, options);
    return (await found.toArray()).flatMap(inFlightOf);
  }

  /**
   * The unfinished orders that match the filter, by package and number, at most `limit`.
   * @param inFlight the orders that their packages name, read before.
   */
  async #unfinished(
    inFlight: readonly string[],
    limit: number,
    filter: object,
    above?: number,
  ): Promise<OrderDocument[]> {
    const wanted = { ...filter, ...aboveNumber(above) };
    const named = inFlight.length === 0 ? [] : await this.#named(inFlight, wanted);
    const options = { ...first(limit), sort: { packageId: 1, number: 1 } } as const;
    const indexed = await this.#orderDocuments({ ...wanted, ...unfinished }, options);
    if (named.length === 0) return indexed;
    const byId = new Map([...named, ...indexed].map((document) => [document._id, document]));
    return [...byId.values()].sort(byPackageAndNumber).slice(0, limit);
  }

  /** Leaves out orders that have ended in the meantime, but not an order whose status is missing. */
  #named(ids: readonly string[], wanted: object): Promise<OrderDocument[]> {
    const isUnfinished = { _id: { $in: [...ids] }, status: { $nin: [...settledStatuses] } };
    return this.#orderDocuments({ $and: [isUnfinished, wanted] }, { ...inOneAnswer, hint: { _id: 1 } });
  }

  async #orders(filter: object, options?: FindOptions): Promise<(Order | UnreadableError)[]> {
    return (await this.#orderDocuments(filter, options)).map((document) => this.#order(document));
  }

  #orderDocuments(filter: object, options: FindOptions = inOneAnswer): Promise<OrderDocument[]> {
    return this.#collections.orders.find(filter, { ...this.#options, ...options }).toArray();
  }

  #readable(documents: readonly OrderDocument[]): Order[] {
    return sift(documents.map((document) => this.#order(document))).items;
  }

  /** A page of packages, by id. */
  #packagePage(cursor: string | undefined, limit: number) {
    const options = { ...this.#options, ...first(limit), sort: { _id: 1 } } as const;
    return this.#collections.packages.find({ _id: { $gt: Number(cursor ?? 0) } }, options);
  }

  /** Returns what was found, and forgets the others. */
  #byId<Id extends number | string, Item>(ids: readonly Id[], found: Map<Id, Item>): Map<Id, Item> {
    for (const id of ids) if (!found.has(id)) this.#unreadable.forget(id);
    return found;
  }

  #package(document: PackageDocument): PackageSnapshot | UnreadableError {
    return this.#unreadable.read({ packageId: document._id }, () => snapshotFrom(document));
  }

  #order(document: OrderDocument): Order | UnreadableError {
    const subject = { packageId: document.packageId, orderId: document._id };
    return this.#unreadable.read(subject, () => orderFrom(document));
  }
}

/** A package as it is stored. */
export interface ReadPackage {
  readonly snapshot: PackageSnapshot;
  readonly document: PackageDocument;
}

export interface OrderOfPackage {
  readonly packageId: number;
  readonly order: Order | UnreadableError;
}

/** The order of an Idempotency-Key, with the fields by which it was found. */
export interface KeyedOrder extends OrderOfPackage {
  readonly key: string | undefined;
}

/** An order without its number, which is damaged, comes first, as it does in an index. */
function byPackageAndNumber(one: OrderDocument, other: OrderDocument): number {
  return one.packageId - other.packageId || (one.number ?? 0) - (other.number ?? 0);
}

function aboveNumber(number: number | undefined): { number?: { $gt: number } } {
  return number === undefined ? {} : { number: { $gt: number } };
}

const ownerFields = { owner: 1, epoch: 1 } as const;

function ownerRecord({ _id, owner, epoch }: PackageDocument): OwnerRecord {
  return { packageId: _id, ...defined({ instance: owner?.instance }), epoch };
}

function packagesAfter(documents: readonly PackageDocument[], limit: number): { next?: string } {
  return nextAfter(documents, limit, ({ _id }) => String(_id));
}
