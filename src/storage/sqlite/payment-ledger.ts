import type { DatabaseSync } from 'node:sqlite';
import type { Page } from '../../lib/page.ts';
import {
  neverRequested,
  type PaymentEntry,
  type PaymentLedger,
  type PaymentMove,
  type PaymentStatus,
  paymentMoves,
} from '../../suppliers/suppliers.ts';
import { pageOf } from '../store-helpers.ts';
import type { Row } from './rows.ts';

/** The payments are rows of the table of reservations. `subject` has what no reservation has, as JSON. */
function prepare(db: DatabaseSync) {
  const entry = "SELECT key, number, status, subject FROM reservations WHERE kind = 'payments'";
  return {
    find: db.prepare(`${entry} AND key = ?`),
    findByNumber: db.prepare(`${entry} AND number = ? AND number <> ''`),
    page: db.prepare(`${entry} AND key > ? ORDER BY key LIMIT ?`),
    insert: db.prepare(
      `INSERT INTO reservations (kind, key, number, status, subject, package_id)
        VALUES ('payments', ?, ?, ?, ?, 0) ON CONFLICT (kind, key) DO NOTHING`,
    ),
    setStatus: db.prepare("UPDATE reservations SET status = ? WHERE kind = 'payments' AND key = ?"),
  };
}

/** How the ledger reads and writes, with the errors of its store. A write is one step of a transaction. */
interface Access {
  read<T>(work: () => T): T;
  write<T>(work: () => T): Promise<T>;
}

/** The ledger of the simulated payment provider. Its statements are prepared at the first use. */
export class SqlitePaymentLedger implements PaymentLedger {
  readonly #db: DatabaseSync;
  readonly #access: Access;
  #prepared: ReturnType<typeof prepare> | undefined;

  constructor(db: DatabaseSync, access: Access) {
    this.#db = db;
    this.#access = access;
  }

  record(entry: PaymentEntry): Promise<PaymentEntry> {
    return this.#access.write(() => this.#insert(entry));
  }

  async find(key: string): Promise<PaymentEntry | undefined> {
    return this.#access.read(() => this.#stored(key));
  }

  async findByNumber(number: string): Promise<PaymentEntry | undefined> {
    return this.#access.read(() => entryFrom(this.#sql.findByNumber.get(number)));
  }

  move(key: string, move: PaymentMove): Promise<PaymentEntry | undefined> {
    return this.#access.write(() => {
      const entry = this.#stored(key);
      if (entry === undefined) return move === 'cancel' ? this.#insert(neverRequested(key)) : undefined;
      const moves: Partial<Record<PaymentStatus, PaymentStatus>> = paymentMoves[move];
      const status = moves[entry.status];
      if (status === undefined) return entry;
      this.#sql.setStatus.run(status, key);
      return { ...entry, status };
    });
  }

  async page(cursor: string | undefined, limit: number): Promise<Page<PaymentEntry>> {
    const rows = this.#access.read(() => this.#sql.page.all(cursor ?? '', limit));
    return pageOf(
      rows.flatMap((row) => entryFrom(row) ?? []),
      limit,
      ({ key }) => key,
    );
  }

  #insert(entry: PaymentEntry): PaymentEntry {
    const { key, number, status, amount, currency, returnUrl } = entry;
    const subject = JSON.stringify({ amount, currency, returnUrl });
    const { changes } = this.#sql.insert.run(key, number, status, subject);
    return changes === 1 ? entry : (this.#stored(key) ?? entry);
  }

  #stored(key: string): PaymentEntry | undefined {
    return entryFrom(this.#sql.find.get(key));
  }

  get #sql(): ReturnType<typeof prepare> {
    this.#prepared ??= prepare(this.#db);
    return this.#prepared;
  }
}

function entryFrom(row: Row | undefined): PaymentEntry | undefined {
  if (row === undefined) return undefined;
  const { subject, ...entry } = row;
  return { ...entry, ...JSON.parse(String(subject)) } as PaymentEntry;
}
