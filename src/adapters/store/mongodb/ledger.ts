import type { ClientSession, Collection } from 'mongodb';
import type { Page } from '../../../ports/store.ts';
import type { LedgerEntry, Reservation, SupplierKind, SupplierLedger } from '../../../ports/suppliers.ts';
import { hasNumber } from './collections.ts';
import { type Connection, majority } from './connection.ts';
import { documentVersion, refuseNewer, type Versioned } from './documents.ts';
import { isDuplicate } from './errors.ts';

export interface ReservationDocument extends Versioned, Omit<LedgerEntry, 'key'> {
  readonly _id: string;
}

/** Shared by all instances: each key has one document, made once, whoever comes first. */
export class MongoLedger implements SupplierLedger {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async record(kind: SupplierKind, entry: LedgerEntry): Promise<LedgerEntry> {
    const { key, ...fields } = entry;
    return this.#write(kind, async (ledger, session) => {
      const kept = await ledger.findOneAndUpdate(
        { _id: key },
        { $setOnInsert: { v: documentVersion, ...fields } },
        { upsert: true, returnDocument: 'after', session },
      );
      return kept ? entryFrom(kept) : entry;
    });
  }

  find(kind: SupplierKind, key: string): Promise<LedgerEntry | undefined> {
    return this.#findOne(kind, { _id: key });
  }

  async findByNumber(kind: SupplierKind, number: string): Promise<LedgerEntry | undefined> {
    return number === '' ? undefined : this.#findOne(kind, { number });
  }

  async cancel(kind: SupplierKind, key: string): Promise<void> {
    await this.#write(kind, (ledger, session) =>
      ledger.updateOne(
        { _id: key },
        {
          $set: { status: 'cancelled' },
          $setOnInsert: { v: documentVersion, number: '', subject: '', packageId: 0 },
        },
        { upsert: true, session },
      ),
    );
  }

  /** The cursor is the last key seen. */
  page(kind: SupplierKind, cursor: string | undefined, limit: number): Promise<Page<Reservation>> {
    const { collections, timeoutMs } = this.#connection;
    return this.#connection.run(async (session) => {
      const found = collections.ledgers[kind].find(
        { _id: { $gt: cursor ?? '' }, ...hasNumber, status: { $in: ['active', 'cancelled'] } },
        {
          session,
          readConcern: majority,
          maxTimeMS: timeoutMs,
          limit,
          batchSize: limit + 1,
          sort: { _id: 1 },
        },
      );
      const items = (await found.toArray()).map(reservationFrom);
      return items.length < limit ? { items } : { items, next: items.at(-1)!.key };
    });
  }

  /** It lives on the store's connection, which the store closes. */
  async close(): Promise<void> {}

  #findOne(kind: SupplierKind, filter: object): Promise<LedgerEntry | undefined> {
    const { collections, timeoutMs } = this.#connection;
    return this.#connection.run(async (session) => {
      const options = { session, readConcern: majority, maxTimeMS: timeoutMs };
      const found = await collections.ledgers[kind].findOne(filter, options);
      return found === null ? undefined : entryFrom(found);
    });
  }

  #write<T>(
    kind: SupplierKind,
    write: (ledger: Collection<ReservationDocument>, session: ClientSession) => Promise<T>,
  ): Promise<T> {
    const ledger = this.#connection.collections.ledgers[kind];
    return this.#connection.write(async (session) => {
      try {
        return await write(ledger, session);
      } catch (error) {
        // Two upserts of one key at once: the one that lost finds the other's document now.
        if (!isDuplicate(error)) throw error;
        return write(ledger, session);
      }
    });
  }
}

function entryFrom(document: ReservationDocument): LedgerEntry {
  refuseNewer(document);
  const { _id, number, status, subject, packageId } = document;
  return { key: _id, number, status, subject, packageId };
}

function reservationFrom(document: ReservationDocument): Reservation {
  const { key, number, status } = entryFrom(document);
  return { key, number, status: status === 'active' ? 'active' : 'cancelled' };
}
