import type { DatabaseSync } from 'node:sqlite';
import {
  isOutdated,
  type Notice,
  type NoticeChannel,
  noticeChannels,
  noticeEvents,
} from '../../domain/notices.ts';
import type { Order } from '../../domain/order.ts';
import type { Page } from '../../lib/page.ts';
import {
  type DeadLetter,
  noticeId,
  noticeIdsOf,
  type OutboxStore,
  type OwedOrder,
  type Revived,
} from '../outbox.ts';
import { UnreadableError } from '../store.ts';
import { eventCursorAfter, nextAfter, pageOf, parseEventCursor } from '../store-helpers.ts';
import { sift, type UnreadableDocuments } from '../unreadable.ts';
import { orderFrom, type Row } from './rows.ts';

function prepare(db: DatabaseSync) {
  return {
    add: db.prepare(
      'INSERT INTO notices (channel, package_id, order_id, event) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
    ),
    owed: db.prepare(
      `SELECT id, orders.package_id, document, document_version, group_concat(event) AS events
        FROM notices JOIN orders ON orders.id = order_id
        WHERE channel = ? AND notices.package_id = ? AND order_id > ?
        GROUP BY order_id ORDER BY order_id LIMIT ?`,
    ),
    // Leaps through the index from package to package, so that the number of notices costs nothing.
    packagesOwing: db.prepare(
      `WITH RECURSIVE found (id) AS (
        SELECT min(package_id) FROM notices WHERE channel = :channel
        UNION ALL
        SELECT (SELECT min(package_id) FROM notices WHERE channel = :channel AND package_id > found.id)
          FROM found WHERE id IS NOT NULL
      ) SELECT id FROM found WHERE id IS NOT NULL`,
    ),
    remove: db.prepare(
      'DELETE FROM notices WHERE channel = ? AND package_id = ? AND order_id = ? AND event = ?',
    ),
    forget: db.prepare('DELETE FROM notices WHERE channel = ? AND package_id = ? AND order_id = ?'),
    bury: db.prepare(
      `INSERT OR REPLACE INTO dead_letters (id, at, channel, package_id, order_id, event, attempts, reason)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    deadLetter: db.prepare('SELECT * FROM dead_letters WHERE id = ?'),
    deadLetters: db.prepare(
      'SELECT * FROM dead_letters WHERE (at, id) < (?, ?) ORDER BY at DESC, id DESC LIMIT ?',
    ),
    dig: db.prepare('DELETE FROM dead_letters WHERE id = ?'),
    order: db.prepare(
      'SELECT id, package_id, document, document_version FROM orders WHERE id = ? AND package_id = ?',
    ),
  };
}

/** How the store reads and writes, with its errors. */
interface Access {
  read<T>(work: () => T): Promise<T>;
  /** @param rows about how many rows the work writes. */
  write<T>(work: () => T, rows: number): Promise<T>;
}

/** The notices of an SQLite store. The statements are prepared at the first use: most servers send no notice. */
export class SqliteOutbox implements OutboxStore {
  readonly #db: DatabaseSync;
  readonly #access: Access;
  readonly #unreadable: UnreadableDocuments;
  #prepared: ReturnType<typeof prepare> | undefined;

  constructor(db: DatabaseSync, unreadable: UnreadableDocuments, access: Access) {
    this.#db = db;
    this.#unreadable = unreadable;
    this.#access = access;
  }

  /** Adds the notices of a change, as a part of its commit. */
  add(packageId: number, notices: readonly Notice[]): void {
    for (const { channel, orderId, event } of notices) this.#sql.add.run(channel, packageId, orderId, event);
  }

  /** Forgets all notices of an order, as a part of its removal. */
  forget(packageId: number, orderId: string): void {
    for (const channel of noticeChannels) this.#sql.forget.run(channel, packageId, orderId);
    for (const id of noticeIdsOf(orderId)) this.#sql.dig.run(id);
  }

  owed(
    channel: NoticeChannel,
    packageId: number,
    cursor: string | undefined,
    limit: number,
  ): Promise<Page<OwedOrder>> {
    return this.#access.read(() => {
      const rows = this.#sql.owed.all(channel, packageId, cursor ?? '', limit);
      const next = nextAfter(rows, limit, ({ id }) => String(id));
      return { items: sift(rows.map((row) => this.#owedOrder(channel, row))).items, ...next };
    });
  }

  packagesOwing(channels: readonly NoticeChannel[]): Promise<number[]> {
    return this.#access.read(() => {
      const found = channels.flatMap((channel) => this.#sql.packagesOwing.all({ channel }));
      return [...new Set(found.map(({ id }) => Number(id)))].sort((one, other) => one - other);
    });
  }

  settle(packageId: number, delivered: readonly Notice[], givenUp: readonly DeadLetter[]): Promise<void> {
    return this.#access.write(
      () => {
        for (const letter of givenUp) {
          const { at, channel, orderId, event, attempts, reason } = letter;
          this.#sql.bury.run(noticeId(letter), at, channel, packageId, orderId, event, attempts, reason);
        }
        for (const { channel, orderId, event } of [...delivered, ...givenUp]) {
          this.#sql.remove.run(channel, packageId, orderId, event);
        }
      },
      delivered.length + 2 * givenUp.length,
    );
  }

  deadLetters(cursor: string | undefined, limit: number): Promise<Page<DeadLetter>> {
    const { at, id } = parseEventCursor(cursor) ?? { at: Number.MAX_SAFE_INTEGER, id: '' };
    return this.#access.read(() => {
      const letters = this.#sql.deadLetters.all(at, id, limit).map(deadLetterFrom);
      return pageOf(letters, limit, (last) => eventCursorAfter({ at: last.at, id: noticeId(last) }));
    });
  }

  revive(ids: readonly string[]): Promise<Revived> {
    return this.#access.write(() => {
      const letters: DeadLetter[] = [];
      let outdated = 0;
      for (const id of new Set(ids)) {
        const row = this.#sql.deadLetter.get(id);
        if (row === undefined) continue;
        const letter = deadLetterFrom(row);
        const found = this.#sql.order.get(letter.orderId, letter.packageId);
        const order = found && this.#order(found);
        if (order !== undefined && !(order instanceof UnreadableError) && isOutdated(order, letter.event)) {
          outdated++;
          continue;
        }
        this.#sql.dig.run(id);
        if (order === undefined) continue;
        this.add(letter.packageId, [letter]);
        letters.push(letter);
      }
      return { letters, outdated };
    }, 2 * ids.length);
  }

  discard(ids: readonly string[]): Promise<number> {
    const dig = (id: string) => Number(this.#sql.dig.run(id).changes);
    return this.#access.write(() => ids.reduce((count, id) => count + dig(id), 0), ids.length);
  }

  #owedOrder(channel: NoticeChannel, row: Row): OwedOrder | UnreadableError {
    const order = this.#order(row);
    if (order instanceof UnreadableError) return order;
    const orderId = order.id;
    const owed = String(row.events).split(',');
    const events = noticeEvents.filter((event) => owed.includes(event));
    return { order, notices: events.map((event) => ({ channel, orderId, event })) };
  }

  #order(row: Row): Order | UnreadableError {
    const subject = { packageId: Number(row.package_id), orderId: String(row.id) };
    return this.#unreadable.read(subject, () => orderFrom(row));
  }

  get #sql(): ReturnType<typeof prepare> {
    this.#prepared ??= prepare(this.#db);
    return this.#prepared;
  }
}

function deadLetterFrom(row: Row): DeadLetter {
  return {
    channel: row.channel as DeadLetter['channel'],
    orderId: String(row.order_id),
    event: row.event as DeadLetter['event'],
    packageId: Number(row.package_id),
    at: Number(row.at),
    attempts: Number(row.attempts),
    reason: String(row.reason),
  };
}
