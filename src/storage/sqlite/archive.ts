import type { DatabaseSync } from 'node:sqlite';
import type { Order } from '../../domain/order.ts';
import type { Page } from '../../lib/page.ts';
import { publicKeyPrefix, type SupplierKind } from '../../suppliers/suppliers.ts';
import type { ArchiveStore, StoredReservation } from '../archive-store.ts';
import type { OperatorEvent, OperatorLog } from '../operator-log.ts';
import { eventCursorAfter, pageOf, publicKeysEnd } from '../store-helpers.ts';
import { documentVersion, type Row } from './rows.ts';

function prepare(db: DatabaseSync) {
  const entries = 'SELECT kind, key, number, status, subject, package_id, at FROM reservations';
  return {
    ofKey: db.prepare(`${entries} WHERE kind IN ('flights', 'hotels') AND key = ?`),
    ofPublic: db.prepare(`${entries} WHERE kind = ? AND key > ? AND key < ? ORDER BY key LIMIT ?`),
    // Every change of an order changes its status, its timeline's length or its email.
    removeOrder: db.prepare(
      `DELETE FROM orders WHERE id = ? AND package_id = ? AND number = ? AND status = ? AND email = ?
        AND document_version <= ? AND json_array_length(document, '$.timeline') = ?`,
    ),
    count: db.prepare(
      `INSERT INTO archived_packages (package_id, orders, confirmed) VALUES (?, ?, ?) ON CONFLICT (package_id)
        DO UPDATE SET orders = orders + excluded.orders, confirmed = confirmed + excluded.confirmed`,
    ),
    keepId: db.prepare('INSERT INTO archived_orders (id) VALUES (?) ON CONFLICT (id) DO NOTHING'),
    removeReservation: db.prepare(
      'DELETE FROM reservations WHERE kind = ? AND key = ? AND status = ? AND number = ? AND at IS ?',
    ),
    removeEvent: db.prepare(
      "DELETE FROM operator_events WHERE id = ? AND at = ? AND document ->> '$.outcome' = ?",
    ),
  };
}

/** How the store reads and writes, with its errors. */
interface Access {
  read<T>(work: () => T): Promise<T>;
  /** @param rows about how many rows the work writes. */
  write<T>(work: () => T, rows: number): Promise<T>;
  readonly operatorEvents: OperatorLog['operatorEvents'];
  /** Forgets the notices of an order, within a write. */
  readonly forgetNotices: (packageId: number, orderId: string) => void;
}

/** Archives an SQLite store. Its statements are prepared at the first use, because a server needs none of them. */
export class SqliteArchive implements ArchiveStore {
  readonly #db: DatabaseSync;
  readonly #access: Access;
  #prepared: ReturnType<typeof prepare> | undefined;

  constructor(db: DatabaseSync, access: Access) {
    this.#db = db;
    this.#access = access;
  }

  async reservationsOf(orderIds: readonly string[]): Promise<StoredReservation[]> {
    return this.#access.read(() => orderIds.flatMap((id) => this.#sql.ofKey.all(id).map(reservationFrom)));
  }

  async publicReservations(
    kind: SupplierKind,
    cursor: string | undefined,
    limit: number,
  ): Promise<Page<StoredReservation>> {
    const from = cursor ?? publicKeyPrefix;
    const rows = await this.#access.read(() => this.#sql.ofPublic.all(kind, from, publicKeysEnd, limit));
    return pageOf(rows.map(reservationFrom), limit, ({ key }) => key);
  }

  operatorEventsBefore(at: number, cursor: string | undefined, limit: number): Promise<Page<OperatorEvent>> {
    return this.#access.operatorEvents(cursor ?? eventCursorAfter({ at, id: '' }), limit);
  }

  removeOrders(
    packageId: number,
    orders: readonly Order[],
    reservations: readonly StoredReservation[],
  ): Promise<number> {
    return this.#access.write(() => {
      const removed = orders.filter((order) => this.#removeOrder(packageId, order));
      const confirmed = removed.filter(({ status }) => status === 'confirmed');
      if (removed.length > 0) this.#sql.count.run(packageId, removed.length, confirmed.length);
      for (const { id } of confirmed) this.#sql.keepId.run(id);
      for (const { id } of removed) this.#access.forgetNotices(packageId, id);
      const ids = new Set(removed.map(({ id }) => id));
      this.#remove(reservations.filter(({ key }) => ids.has(key)));
      return removed.length;
    }, orders.length + reservations.length);
  }

  removeReservations(reservations: readonly StoredReservation[]): Promise<number> {
    return this.#access.write(() => this.#remove(reservations), reservations.length);
  }

  removeOperatorEvents(events: readonly OperatorEvent[]): Promise<number> {
    const remove = ({ id, at, outcome }: OperatorEvent) => this.#sql.removeEvent.run(id, at, outcome).changes;
    return this.#access.write(() => sum(events.map(remove)), events.length);
  }

  #removeOrder(packageId: number, { id, number, status, email, timeline }: Order): boolean {
    const values = [id, packageId, number, status, email, documentVersion, timeline.length];
    return this.#sql.removeOrder.run(...values).changes === 1;
  }

  #remove(reservations: readonly StoredReservation[]): number {
    const remove = ({ kind, key, status, number, at }: StoredReservation) =>
      this.#sql.removeReservation.run(kind, key, status, number, at ?? null).changes;
    return sum(reservations.map(remove));
  }

  get #sql(): ReturnType<typeof prepare> {
    this.#prepared ??= prepare(this.#db);
    return this.#prepared;
  }
}

function reservationFrom({ package_id: packageId, at, ...row }: Row): StoredReservation {
  const entry = { ...row, packageId: Number(packageId) } as unknown as StoredReservation;
  return at === null || at === undefined ? entry : { ...entry, at: Number(at) };
}

function sum(counts: readonly (number | bigint)[]): number {
  return counts.reduce<number>((total, count) => total + Number(count), 0);
}
