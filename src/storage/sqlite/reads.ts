import type { DatabaseSync } from 'node:sqlite';
import type { Order } from '../../domain/order.ts';
import type { PackageSnapshot } from '../../domain/travel-package.ts';
import type { Page } from '../../lib/page.ts';
import { orderCursorAfter, pageOf, parseOrderCursor } from '../cursors.ts';
import type { OrderSelection, OwnerRecord, VersionedPackage } from '../store.ts';
import { orderFrom, snapshotFrom } from './rows.ts';
import { liveCondition, unfinishedCondition } from './schema.ts';

/** The queries: one prepared statement each. All methods are synchronous and throw SQLite's errors. */
export class Reads {
  readonly #packages;
  readonly #package;
  readonly #owner;
  readonly #ownerRecords;
  readonly #withUnfinished;
  readonly #unfinished;
  readonly #firstUnfinished;
  readonly #order;
  readonly #byKey;
  readonly #liveByEmail;
  readonly #page;
  readonly #below;
  readonly #lastNumber;
  readonly #ofEmail;
  readonly #byEmail;
  readonly #ping;

  constructor(db: DatabaseSync) {
    this.#packages = db.prepare('SELECT * FROM packages ORDER BY id');
    this.#package = db.prepare('SELECT * FROM packages WHERE id = ?');
    this.#owner = db.prepare('SELECT owner FROM packages WHERE id = ?');
    this.#ownerRecords = db.prepare('SELECT id, owner, epoch FROM packages ORDER BY id');
    this.#withUnfinished = db.prepare(
      `SELECT id FROM packages WHERE EXISTS
        (SELECT 1 FROM orders WHERE package_id = packages.id AND ${unfinishedCondition}) ORDER BY id`,
    );
    const orders = 'SELECT document, document_version FROM orders';
    this.#unfinished = db.prepare(
      `${orders} WHERE package_id = ? AND ${unfinishedCondition} ORDER BY number`,
    );
    this.#firstUnfinished = db.prepare(
      `${orders} WHERE package_id = ? AND ${unfinishedCondition} AND status IN (SELECT value FROM json_each(?))
        ORDER BY number LIMIT ?`,
    );
    this.#order = db.prepare(`${orders} WHERE id = ?`);
    this.#byKey = db.prepare(`${orders} WHERE package_id = ? AND key = ?`);
    this.#liveByEmail = db.prepare(
      `SELECT count(*) AS live FROM orders WHERE package_id = ? AND email = ? AND ${liveCondition}`,
    );
    this.#page = db.prepare(`${orders} WHERE package_id = ? AND number > ? ORDER BY number LIMIT ?`);
    this.#below = db.prepare(`${orders} WHERE package_id = ? AND number < ? ORDER BY number DESC LIMIT ?`);
    this.#lastNumber = db.prepare('SELECT max(number) AS last FROM orders WHERE package_id = ?');
    // `+email` keeps SQLite from using the index of emails: this query reads a span of numbers.
    this.#ofEmail = db.prepare(
      `${orders} WHERE package_id = ? AND number > ? AND number <= ? AND +email = ? ORDER BY number`,
    );
    this.#byEmail = db.prepare(
      `${orders} WHERE email = ? AND (package_id, number) < (?, ?) ORDER BY package_id DESC, number DESC LIMIT ?`,
    );
    this.#ping = db.prepare('SELECT 1 FROM packages LIMIT 1');
  }

  packages(): PackageSnapshot[] {
    return this.#packages.all().map(snapshotFrom);
  }

  package(id: number): PackageSnapshot | undefined {
    const row = this.#package.get(id);
    return row && snapshotFrom(row);
  }

  versionedPackage(id: number, selection: OrderSelection = { ids: [] }): VersionedPackage | undefined {
    const row = this.#package.get(id);
    if (!row) return undefined;
    const fence = { epoch: Number(row.epoch), seq: Number(row.seq) };
    return { ...snapshotFrom(row), fence, orders: this.#selected(id, selection) };
  }

  owner(packageId: number): string | undefined {
    const owner = this.#owner.get(packageId)?.owner;
    return typeof owner === 'string' ? owner : undefined;
  }

  ownerRecords(): OwnerRecord[] {
    return this.#ownerRecords.all().map(({ id, owner, epoch }) => ({
      packageId: Number(id),
      ...(typeof owner === 'string' ? { instance: owner } : {}),
      epoch: Number(epoch),
    }));
  }

  packagesWithUnfinished(): number[] {
    return this.#withUnfinished.all().map((row) => Number(row.id));
  }

  unfinished(packageId: number): Order[] {
    return this.#unfinished.all(packageId).map(orderFrom);
  }

  order(id: string): Order | undefined {
    const row = this.#order.get(id);
    return row && orderFrom(row);
  }

  orders(ids: readonly string[]): Order[] {
    return [...new Set(ids)].flatMap((id) => this.order(id) ?? []);
  }

  ordersByKey(packageId: number, keys: readonly string[]): Order[] {
    return [...new Set(keys)].flatMap((key) => this.#byKey.all(packageId, key).map(orderFrom));
  }

  liveOrdersByEmail(packageId: number, emails: readonly string[]): Map<string, number> {
    const live = new Map<string, number>();
    for (const email of new Set(emails)) {
      const count = Number(this.#liveByEmail.get(packageId, email)?.live);
      if (count > 0) live.set(email, count);
    }
    return live;
  }

  /** The cursor is the number of the last order. */
  ordersPage(packageId: number, cursor: string | undefined, limit: number): Page<Order> {
    const rows = this.#page.all(packageId, Number(cursor ?? 0), limit);
    return pageOf(rows.map(orderFrom), limit, ({ number }) => String(number));
  }

  ordersBelow(packageId: number, number: number | undefined, limit: number): Order[] {
    return this.#below.all(packageId, number ?? Number.MAX_SAFE_INTEGER, limit).map(orderFrom);
  }

  /** The cursor is the last number of the span. */
  ordersOfEmail(packageId: number, email: string, cursor: string | undefined, span: number): Page<Order> {
    const from = Number(cursor ?? 0);
    const last = Number(this.#lastNumber.get(packageId)?.last ?? 0);
    const items = this.#ofEmail.all(packageId, from, from + span, email).map(orderFrom);
    return from + span < last ? { items, next: String(from + span) } : { items };
  }

  ordersByEmail(email: string, cursor: string | undefined, limit: number): Page<Order> {
    const { packageId, number } = parseOrderCursor(cursor);
    const items = this.#byEmail.all(email, packageId, number, limit).map(orderFrom);
    return pageOf(items, limit, orderCursorAfter);
  }

  ping(): void {
    this.#ping.get();
  }

  #selected(packageId: number, selection: OrderSelection): Order[] {
    if ('statuses' in selection) {
      const { statuses, max } = selection;
      return this.#firstUnfinished.all(packageId, JSON.stringify(statuses), max).map(orderFrom);
    }
    const found = this.orders(selection.ids).filter((order) => order.packageId === packageId);
    return found.sort((one, other) => one.number - other.number);
  }
}
