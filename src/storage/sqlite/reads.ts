import type { DatabaseSync } from 'node:sqlite';
import type { Order } from '../../domain/order.ts';
import type { PackageSnapshot } from '../../domain/travel-package.ts';
import type { Page } from '../../lib/page.ts';
import type { OrderSelection, OwnerRecord, VersionedPackage } from '../store.ts';
import { orderCursorAfter, pageOf, parseOrderCursor } from '../store-helpers.ts';
import { orderFrom, snapshotFrom } from './rows.ts';
import { liveCondition, unfinishedCondition } from './schema.ts';

/** The statements of the queries. */
function prepare(db: DatabaseSync) {
  const orders = 'SELECT document, document_version FROM orders';
  return {
    packages: db.prepare('SELECT * FROM packages ORDER BY id'),
    package: db.prepare('SELECT * FROM packages WHERE id = ?'),
    owner: db.prepare('SELECT owner FROM packages WHERE id = ?'),
    ownerRecords: db.prepare('SELECT id, owner, epoch FROM packages ORDER BY id'),
    withUnfinished: db.prepare(
      `SELECT id FROM packages WHERE EXISTS
        (SELECT 1 FROM orders WHERE package_id = packages.id AND ${unfinishedCondition}) ORDER BY id`,
    ),
    unfinished: db.prepare(`${orders} WHERE package_id = ? AND ${unfinishedCondition} ORDER BY number`),
    firstUnfinished: db.prepare(
      `${orders} WHERE package_id = ? AND ${unfinishedCondition} AND status IN (SELECT value FROM json_each(?))
        ORDER BY number LIMIT ?`,
    ),
    order: db.prepare(`${orders} WHERE id = ?`),
    byKey: db.prepare(`${orders} WHERE package_id = ? AND key = ?`),
    liveByEmail: db.prepare(
      `SELECT count(*) AS live FROM orders WHERE package_id = ? AND email = ? AND ${liveCondition}`,
    ),
    page: db.prepare(`${orders} WHERE package_id = ? AND number > ? ORDER BY number LIMIT ?`),
    below: db.prepare(`${orders} WHERE package_id = ? AND number < ? ORDER BY number DESC LIMIT ?`),
    lastNumber: db.prepare('SELECT max(number) AS last FROM orders WHERE package_id = ?'),
    // `+email` keeps SQLite from using the index of emails, because this query reads a span of numbers.
    ofEmail: db.prepare(
      `${orders} WHERE package_id = ? AND number > ? AND number <= ? AND +email = ? ORDER BY number`,
    ),
    byEmail: db.prepare(
      `${orders} WHERE email = ? AND (package_id, number) < (?, ?) ORDER BY package_id DESC, number DESC LIMIT ?`,
    ),
    setting: db.prepare('SELECT value FROM settings WHERE name = ?'),
    settingsFrom: db.prepare('SELECT name, value FROM settings WHERE name >= ? ORDER BY name'),
    ping: db.prepare('SELECT 1 FROM packages LIMIT 1'),
  };
}

/** The queries, each with one prepared statement. All methods are synchronous and throw SQLite's errors. */
export class Reads {
  readonly #sql: ReturnType<typeof prepare>;

  constructor(db: DatabaseSync) {
    this.#sql = prepare(db);
  }

  packages(): PackageSnapshot[] {
    return this.#sql.packages.all().map(snapshotFrom);
  }

  package(id: number): PackageSnapshot | undefined {
    const row = this.#sql.package.get(id);
    return row && snapshotFrom(row);
  }

  versionedPackage(id: number, selection: OrderSelection = { ids: [] }): VersionedPackage | undefined {
    const row = this.#sql.package.get(id);
    if (!row) return undefined;
    const fence = { epoch: Number(row.epoch), seq: Number(row.seq) };
    return { ...snapshotFrom(row), fence, orders: this.#selected(id, selection) };
  }

  owner(packageId: number): string | undefined {
    const owner = this.#sql.owner.get(packageId)?.owner;
    return typeof owner === 'string' ? owner : undefined;
  }

  ownerRecords(): OwnerRecord[] {
    return this.#sql.ownerRecords.all().map(({ id, owner, epoch }) => ({
      packageId: Number(id),
      ...(typeof owner === 'string' ? { instance: owner } : {}),
      epoch: Number(epoch),
    }));
  }

  packagesWithUnfinished(): number[] {
    return this.#sql.withUnfinished.all().map((row) => Number(row.id));
  }

  unfinished(packageId: number): Order[] {
    return this.#sql.unfinished.all(packageId).map(orderFrom);
  }

  order(id: string): Order | undefined {
    const row = this.#sql.order.get(id);
    return row && orderFrom(row);
  }

  orders(ids: readonly string[]): Order[] {
    return [...new Set(ids)].flatMap((id) => this.order(id) ?? []);
  }

  ordersByKey(packageId: number, keys: readonly string[]): Order[] {
    return [...new Set(keys)].flatMap((key) => this.#sql.byKey.all(packageId, key).map(orderFrom));
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
  ordersPage(packageId: number, cursor: string | undefined, limit: number): Page<Order> {
    const rows = this.#sql.page.all(packageId, Number(cursor ?? 0), limit);
    return pageOf(rows.map(orderFrom), limit, ({ number }) => String(number));
  }

  ordersBelow(packageId: number, number: number | undefined, limit: number): Order[] {
    return this.#sql.below.all(packageId, number ?? Number.MAX_SAFE_INTEGER, limit).map(orderFrom);
  }

  /** The cursor is the last number of the span. */
  ordersOfEmail(packageId: number, email: string, cursor: string | undefined, span: number): Page<Order> {
    const from = Number(cursor ?? 0);
    const last = Number(this.#sql.lastNumber.get(packageId)?.last ?? 0);
    const items = this.#sql.ofEmail.all(packageId, from, from + span, email).map(orderFrom);
    return from + span < last ? { items, next: String(from + span) } : { items };
  }

  ordersByEmail(email: string, cursor: string | undefined, limit: number): Page<Order> {
    const { packageId, number } = parseOrderCursor(cursor);
    const items = this.#sql.byEmail.all(email, packageId, number, limit).map(orderFrom);
    return pageOf(items, limit, orderCursorAfter);
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
      const { statuses, max } = selection;
      return this.#sql.firstUnfinished.all(packageId, JSON.stringify(statuses), max).map(orderFrom);
    }
    const found = this.orders(selection.ids).filter((order) => order.packageId === packageId);
    return found.sort((one, other) => one.number - other.number);
  }
}
