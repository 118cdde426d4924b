import type { DatabaseSync } from 'node:sqlite';
import type { Page } from '../../lib/page.ts';
import type { Log } from '../../observability/log.ts';
import type { LedgerEntry, Reservation, SimulationLedger, SupplierKind } from '../../suppliers/suppliers.ts';
import { pageOf } from '../store-helpers.ts';
import { openCheckpoints } from './checkpoints.ts';
import { type ConnectionOptions, openConnection } from './connection.ts';
import { asStoreError } from './errors.ts';
import { GroupCommit } from './group-commit.ts';
import { SqlitePaymentLedger } from './payment-ledger.ts';
import type { Row } from './rows.ts';

/** The ledger of the simulation in a database of its own. @throws Error as {@link openConnection}. */
export function openSqliteLedger(options: ConnectionOptions & { readonly log?: Log }): SimulationLedger {
  const connection = openConnection(options);
  const checkpoints = openCheckpoints(connection, options.log);
  const commits = new GroupCommit(connection.db, checkpoints);
  return new SqliteLedger(connection.db, commits, async () => {
    await commits.close();
    await checkpoints?.close();
    connection.close();
  });
}

function prepare(db: DatabaseSync) {
  const entry = 'SELECT key, number, status, subject, package_id AS packageId FROM reservations';
  return {
    find: db.prepare(`${entry} WHERE kind = ? AND key = ?`),
    findByNumber: db.prepare(`${entry} WHERE kind = ? AND number = ? AND number <> ''`),
    cancel: db.prepare(
      `INSERT INTO reservations (kind, key, number, status, subject, package_id)
        VALUES (?, ?, '', 'cancelled', '', 0) ON CONFLICT (kind, key) DO UPDATE SET status = 'cancelled'`,
    ),
    page: db.prepare(
      `SELECT key, number, status FROM reservations
        WHERE kind = ? AND key > ? AND number <> '' AND status IN ('active', 'cancelled')
        ORDER BY key LIMIT ?`,
    ),
  };
}

/** Prepared at the first use, because a file of an older release that is only read has no `at` column. */
function prepareInsert(db: DatabaseSync) {
  return db.prepare(
    `INSERT INTO reservations (kind, key, number, status, subject, package_id, at) VALUES (?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (kind, key) DO NOTHING`,
  );
}

/** The ledger of the simulation. On the store's connection its writes share the store's flushes. */
export class SqliteLedger implements SimulationLedger {
  readonly payments: SqlitePaymentLedger;
  readonly #commits: GroupCommit;
  readonly #close: () => Promise<void>;
  readonly #db: DatabaseSync;
  readonly #sql: ReturnType<typeof prepare>;
  #insert: ReturnType<typeof prepareInsert> | undefined;

  constructor(db: DatabaseSync, commits: GroupCommit, close: () => Promise<void>) {
    this.#db = db;
    this.#commits = commits;
    this.#close = close;
    this.#sql = prepare(db);
    this.payments = new SqlitePaymentLedger(db, {
      read: (work) => this.#read(work),
      write: (work) => this.#write(work),
    });
  }

  record(kind: SupplierKind, entry: LedgerEntry, at?: number): Promise<LedgerEntry> {
    const { key, number, status, subject, packageId } = entry;
    return this.#write(() => {
      this.#insert ??= prepareInsert(this.#db);
      const { changes } = this.#insert.run(kind, key, number, status, subject, packageId, at ?? null);
      return changes === 1 ? entry : (found(this.#sql.find.get(kind, key)) ?? entry);
    });
  }

  async find(kind: SupplierKind, key: string): Promise<LedgerEntry | undefined> {
    return this.#read(() => found(this.#sql.find.get(kind, key)));
  }

  async findByNumber(kind: SupplierKind, number: string): Promise<LedgerEntry | undefined> {
    return this.#read(() => found(this.#sql.findByNumber.get(kind, number)));
  }

  async cancel(kind: SupplierKind, key: string): Promise<void> {
    await this.#write(() => this.#sql.cancel.run(kind, key));
  }

  async page(kind: SupplierKind, cursor: string | undefined, limit: number): Promise<Page<Reservation>> {
    const rows = this.#read(() => this.#sql.page.all(kind, cursor ?? '', limit));
    return pageOf(
      rows.map((row) => ({ ...row }) as unknown as Reservation),
      limit,
      ({ key }) => key,
    );
  }

  close(): Promise<void> {
    return this.#close();
  }

  async #write<T>(work: () => T): Promise<T> {
    try {
      return await this.#commits.write(work);
    } catch (error) {
      throw asStoreError(error);
    }
  }

  #read<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw asStoreError(error);
    }
  }
}

function found(row: Row | undefined): LedgerEntry | undefined {
  return row && ({ ...row } as unknown as LedgerEntry);
}
