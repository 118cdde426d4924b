import type { DatabaseSync } from 'node:sqlite';
import type { Order } from '../../domain/order.ts';
import type { PackageSnapshot } from '../../domain/travel-package.ts';
import type { Page } from '../../lib/page.ts';
import type { ArchivedCounts } from '../archive-store.ts';
import type { OrderSelection, OrdersPage, OwnerRecord, UnreadableError, VersionedPackage } from '../store.ts';
import { nextAfter, orderCursorAfter, parseOrderCursor } from '../store-helpers.ts';
import { readable, sift, type UnreadableDocuments } from '../unreadable.ts';
import { orderFrom, type Row, snapshotFrom } from './rows.ts';
import { hasTable, liveCondition, ordersPerSlice, unfinishedCondition } from './schema.ts';

/** A search by email blocks the process, so it pauses after so many slices of the index (about 5 ms). */
const slicesPerRead = 1000;

/** The statements of the queries. */
function prepare(db: DatabaseSync) {
  const orders = 'SELECT id, package_id, number, document, document_version FROM orders';
  return {
    packages: db.prepare('SELECT * FROM packages WHERE id > ? ORDER BY id LIMIT ?'),
    package: db.prepare('SELECT * FROM packages WHERE id = ?'),
    owner: db.prepare('SELECT owner FROM packages WHERE id = ?'),
    ownersOf: db.prepare(
      'SELECT id, owner, epoch FROM packages WHERE id IN (SELECT value FROM json_each(?))',
    ),
    owners: db.prepare('SELECT id, owner, epoch FROM packages WHERE id > ? ORDER BY id LIMIT ?'),
    lastPackageId: db.prepare('SELECT max(id) AS last FROM packages'),
    // Leaps through the index from package to package, so that packages without unfinished orders cost nothing.
    withUnfinished: db.prepare(
      `WITH RECURSIVE found (id) AS (
        SELECT min(package_id) FROM orders WHERE ${unfinishedCondition}
        UNION ALL
        SELECT (SELECT min(package_id) FROM orders WHERE ${unfinishedCondition} AND package_id > found.id)
          FROM found WHERE id IS NOT NULL
      ) SELECT id FROM found WHERE id IS NOT NULL`,
    ),
    unfinished: db.prepare(
      `${orders} WHERE package_id = ? AND ${unfinishedCondition} AND number > ? ORDER BY number LIMIT ?`,
    ),
    firstUnfinished: db.prepare(
      `${orders} WHERE package_id = ? AND ${unfinishedCondition} AND status IN (SELECT value FROM json_each(?))
        AND number > ? ORDER BY number LIMIT ?`,
    ),
    order: db.prepare(`${orders} WHERE id = ?`),
    byKey: db.prepare(`${orders} WHERE package_id = ? AND key = ?`),
    liveByEmail: db.prepare(
      `SELECT count(*) AS live FROM orders WHERE package_id = ? AND email = ? AND ${liveCondition}`,
    ),
    page: db.prepare(`${orders} WHERE package_id = ? AND number > ? ORDER BY number LIMIT ?`),
    below: db.prepare(`${orders} WHERE package_id = ? AND number < ? ORDER BY number DESC LIMIT ?`),
    withOrdersAbove: db.prepare('SELECT min(package_id) AS id FROM orders WHERE package_id > ?'),
    newestBelow: db.prepare(
      `SELECT package_id, number FROM orders WHERE (package_id, number) < (?, ?)
        ORDER BY package_id DESC, number DESC LIMIT 1`,
    ),
    bySliceAndEmail: db.prepare(
      `${orders} WHERE package_id = ? AND number / ${ordersPerSlice} = ? AND email = ? AND number <= ?
        ORDER BY number DESC LIMIT ?`,
    ),
    ...(hasTable(db, 'archived_packages')
      ? {
          archivedCounts: db.prepare('SELECT orders, confirmed FROM archived_packages WHERE package_id = ?'),
          archivedId: db.prepare('SELECT 1 FROM archived_orders WHERE id = ?'),
        }
      : {}),
    setting: db.prepare('SELECT value FROM settings WHERE name = ?'),
    settingsFrom: db.prepare('SELECT name, value FROM settings WHERE name >= ? ORDER BY name'),
    ping: db.prepare('SELECT 1 FROM packages LIMIT 1'),
  };
}

/** The queries, each with one prepared statement. All methods are synchronous and throw SQLite's errors. */
export class Reads {
  readonly #sql: ReturnType<typeof prepare>;
  readonly #unreadable: UnreadableDocuments;

  constructor(db: DatabaseSync, unreadable: UnreadableDocuments) {
    this.#sql = prepare(db);
    this.#unreadable = unreadable;
  }

  packagesPage(cursor: string | undefined, limit: number): Page<PackageSnapshot> {
    const rows = this.#sql.packages.all(Number(cursor ?? 0), limit);
    const next = packagesAfter(rows, limit);
    this.#unreadable.forgetPackagesBut(cursor, next, () => rows.map(({ id }) => Number(id)));
    return { items: sift(rows.map((row) => this.#package(row))).items, ...next };
  }

  package(id: number): PackageSnapshot | undefined {
    const row = this.#sql.package.get(id);
    if (row === undefined) this.#unreadable.forget(id);
    return row && readable(this.#package(row));
  }

  versionedPackage(id: number, selection: OrderSelection = { ids: [] }): VersionedPackage | undefined {
    const row = this.#sql.package.get(id);
    if (!row) return undefined;
    const fence = { epoch: Number(row.epoch), seq: Number(row.seq) };
    return { ...readable(this.#package(row)), fence, orders: this.#selected(id, selection) };
  }

  owner(packageId: number): string | undefined {
    const owner = this.#sql.owner.get(packageId)?.owner;
    return typeof owner === 'string' ? owner : undefined;
  }

  ownersOf(packageIds: readonly number[]): OwnerRecord[] {
    return this.#sql.ownersOf.all(JSON.stringify(packageIds)).map(ownerRecord);
  }

  ownersPage(cursor: string | undefined, limit: number): Page<OwnerRecord> {
    const rows = this.#sql.owners.all(Number(cursor ?? 0), limit);
    return { items: rows.map(ownerRecord), ...packagesAfter(rows, limit) };
  }

  lastPackageId(): number {
    return Number(this.#sql.lastPackageId.get()?.last ?? 0);
  }

  packagesWithUnfinished(): number[] {
    return this.#sql.withUnfinished.all().map((row) => Number(row.id));
  }

  /** The unfinished orders above a number, by number. @throws UnreadableError */
  unfinished(packageId: number, above: number | undefined, limit: number): Order[] {
    return this.#sql.unfinished
      .all(packageId, above ?? Number.MIN_SAFE_INTEGER, limit)
      .map((row) => readable(this.#order(row)));
  }

  order(id: string): Order | undefined {
    return this.#byIds([id]).map(readable)[0];
  }

  orders(ids: readonly string[]): Order[] {
    return sift(this.#byIds(ids)).items;
  }

  ordersByKey(packageId: number, keys: readonly string[]): Order[] {
    return [...new Set(keys)].flatMap((key) =>
      this.#sql.byKey.all(packageId, key).map((row) => readable(this.#order(row))),
    );
  }

  liveOrdersByEmail(packageId: number, emails: readonly string[]): Map<string, number> {
    const live = new Map<string, number>();
    for (const email of new Set(emails)) {
      const count = Number(this.#sql.liveByEmail.get(packageId, email)?.live);
      if (count > 0) live.set(email, count);
    }
    return live;
  }

  /** The cursor is the number of the last order. */
  ordersPage(packageId: number, cursor: string | undefined, limit: number): OrdersPage {
    const rows = this.#sql.page.all(packageId, Number(cursor ?? 0), limit);
    return {
      ...sift(rows.map((row) => this.#order(row))),
      ...nextAfter(rows, limit, ({ number }) => String(number)),
    };
  }

  packageWithOrdersAbove(packageId: number): number | undefined {
    const id = this.#sql.withOrdersAbove.get(packageId)?.id ?? undefined;
    return id === undefined ? undefined : Number(id);
  }

  ordersBelow(packageId: number, number: number | undefined, limit: number): Order[] {
    const found: Order[] = [];
    let below = number ?? Number.MAX_SAFE_INTEGER;
    for (;;) {
      const rows = this.#sql.below.all(packageId, below, limit);
      found.push(...this.#readable(rows));
      // Unreadable orders are left out, so the page is filled up with the next ones.
      if (found.length >= limit || rows.length < limit) return found.slice(0, limit);
      below = Number(rows.at(-1)?.number);
    }
  }

  /** Looks into a number of slices of the index. The page may have fewer orders than `limit`, and more may follow. */
  ordersByEmail(email: string, cursor: string | undefined, limit: number): Page<Order> {
    const rows: Row[] = [];
    let below = parseOrderCursor(cursor);
    for (let looks = 0; looks < slicesPerRead; looks++) {
      const newest = this.#sql.newestBelow.get(below.packageId, below.number);
      if (newest === undefined) return { items: this.#readable(rows) };
      const { packageId, number } = { packageId: Number(newest.package_id), number: Number(newest.number) };
      const slice = Math.floor(number / ordersPerSlice);
      const left = limit - rows.length;
      const found = this.#sql.bySliceAndEmail.all(packageId, slice, email, number, left);
      rows.push(...found);
      below = {
        packageId,
        number: found.length < left ? slice * ordersPerSlice : Number(found.at(-1)?.number),
      };
      if (found.length === left) break;
    }
    return { items: this.#readable(rows), next: orderCursorAfter(below) };
  }

  archivedCounts(packageId: number): ArchivedCounts {
    const row = this.#sql.archivedCounts?.get(packageId);
    return { orders: Number(row?.orders ?? 0), confirmed: Number(row?.confirmed ?? 0) };
  }

  archivedIds(ids: readonly string[]): string[] {
    return ids.filter((id) => this.#sql.archivedId?.get(id) !== undefined);
  }

  setting(name: string): string | undefined {
    const row = this.#sql.setting.get(name);
    return row && String(row.value);
  }

  settingsNamed(prefix: string): Map<string, string> {
    const found = new Map<string, string>();
    for (const { name, value } of this.#sql.settingsFrom.iterate(prefix)) {
      if (!String(name).startsWith(prefix)) break;
      found.set(String(name), String(value));
    }
    return found;
  }

  ping(): void {
    this.#sql.ping.get();
  }

  #selected(packageId: number, selection: OrderSelection): Order[] {
    if ('statuses' in selection) {
      const { statuses, max, above = Number.MIN_SAFE_INTEGER } = selection;
      const rows = this.#sql.firstUnfinished.all(packageId, JSON.stringify(statuses), above, max);
      return rows.map((row) => readable(this.#order(row)));
    }
    const found = this.#byIds(selection.ids)
      .map(readable)
      .filter((order) => order.packageId === packageId);
    return found.sort((one, other) => one.number - other.number);
  }

  #byIds(ids: readonly string[]): (Order | UnreadableError)[] {
    return [...new Set(ids)].flatMap((id) => {
      const row = this.#sql.order.get(id);
      if (row !== undefined) return [this.#order(row)];
      this.#unreadable.forget(id);
      return [];
    });
  }

  #readable(rows: readonly Row[]): Order[] {
    return sift(rows.map((row) => this.#order(row))).items;
  }

  #package(row: Row): PackageSnapshot | UnreadableError {
    return this.#unreadable.read({ packageId: Number(row.id) }, () => snapshotFrom(row));
  }

  #order(row: Row): Order | UnreadableError {
    const subject = { packageId: Number(row.package_id), orderId: String(row.id) };
    return this.#unreadable.read(subject, () => orderFrom(row));
  }
}

function packagesAfter(rows: readonly Row[], limit: number): { next?: string } {
  return nextAfter(rows, limit, ({ id }) => String(id));
}

function ownerRecord({ id, owner, epoch }: Row): OwnerRecord {
  return {
    packageId: Number(id),
    ...(typeof owner === 'string' ? { instance: owner } : {}),
    epoch: Number(epoch),
  };
}
