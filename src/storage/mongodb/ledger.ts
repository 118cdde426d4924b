import type { Batcher } from '../../lib/batcher.ts';
import { defined } from '../../lib/defined.ts';
import type { Page } from '../../lib/page.ts';
import type { LedgerEntry, Reservation, SimulationLedger, SupplierKind } from '../../suppliers/suppliers.ts';
import { pageOf } from '../store-helpers.ts';
import { hasNumber } from './collections.ts';
import type { Connection } from './connection.ts';
import { documentVersion, type ReservationDocument, refuseNewer } from './documents.ts';
import { takenIn, upsert } from './errors.ts';
import { MongoPaymentLedger } from './payment-ledger.ts';
import { first, inOneAnswer } from './reads.ts';

interface DatedEntry {
  readonly entry: LedgerEntry;
  readonly at: number | undefined;
}

/** Each purchase makes one call of each kind. Under load, hundreds of calls share one round trip. */
interface Groups {
  readonly record: Batcher<DatedEntry, LedgerEntry>;
  readonly find: Batcher<string, LedgerEntry | undefined>;
  readonly findByNumber: Batcher<string, LedgerEntry | undefined>;
}

/**
 * The ledger of the simulated suppliers, shared by all instances. The first instance that records a key makes the
 * key's document.
 */
export class MongoLedger implements SimulationLedger {
  readonly payments: MongoPaymentLedger;
  readonly #connection: Connection;
  readonly #groups: Readonly<Record<SupplierKind, Groups>>;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.payments = new MongoPaymentLedger(connection);
    this.#groups = { flights: this.#groupsOf('flights'), hotels: this.#groupsOf('hotels') };
  }

  record(kind: SupplierKind, entry: LedgerEntry, at?: number): Promise<LedgerEntry> {
    return this.#groups[kind].record.add({ entry, at });
  }

  find(kind: SupplierKind, key: string): Promise<LedgerEntry | undefined> {
    return this.#groups[kind].find.add(key);
  }

  async findByNumber(kind: SupplierKind, number: string): Promise<LedgerEntry | undefined> {
    return number === '' ? undefined : this.#groups[kind].findByNumber.add(number);
  }

  async cancel(kind: SupplierKind, key: string): Promise<void> {
    const ledger = this.#connection.collections.ledgers[kind];
    const $set = { status: 'cancelled' } as const;
    const $setOnInsert = { v: documentVersion, number: '', subject: '', packageId: 0 };
    await this.#connection.write((session) =>
      upsert(() => ledger.updateOne({ _id: key }, { $set, $setOnInsert }, { upsert: true, session })),
    );
  }

  page(kind: SupplierKind, cursor: string | undefined, limit: number): Promise<Page<Reservation>> {
    return this.#connection.run(async (session) => {
      const found = this.#connection.collections.ledgers[kind].find(
        { _id: { $gt: cursor ?? '' }, ...hasNumber, status: { $in: ['active', 'cancelled'] } },
        { ...this.#connection.current(session), ...first(limit), sort: { _id: 1 } },
      );
      return pageOf((await found.toArray()).map(reservationFrom), limit, ({ key }) => key);
    });
  }

  /** Does nothing, because the store closes the connection. */
  async close(): Promise<void> {}

  #groupsOf(kind: SupplierKind): Groups {
    const connection = this.#connection;
    return {
      record: connection.batcher((entries) => this.#record(kind, entries)),
      find: connection.batcher(async (keys) => {
        const found = await this.#found(kind, { _id: { $in: [...keys] } });
        return inOrderOf(keys, found, ({ key }) => key);
      }),
      findByNumber: connection.batcher(async (numbers) => {
        const found = await this.#found(kind, { number: { $in: [...numbers], ...hasNumber.number } });
        return inOrderOf(numbers, found, ({ number }) => number);
      }),
    };
  }

  /** Inserts all entries. For a key that exists already, returns the stored entry. */
  async #record(kind: SupplierKind, dated: readonly DatedEntry[]): Promise<LedgerEntry[]> {
    const taken = await this.#connection.write(async (session) => {
      try {
        await this.#connection.collections.ledgers[kind].insertMany(dated.map(documentOf), {
          session,
          ordered: false,
        });
        return [];
      } catch (error) {
        return takenIn(error);
      }
    });
    const entries = dated.map(({ entry }) => entry);
    if (taken.length === 0) return entries;
    const keys = taken.map((index) => entries[index]!.key);
    const found = inOrderOf(keys, await this.#found(kind, { _id: { $in: keys } }), ({ key }) => key);
    const kept = [...entries];
    taken.forEach((index, at) => {
      const other = found[at];
      if (other === undefined) throw new Error('the number of a reservation is taken by another key');
      kept[index] = other;
    });
    return kept;
  }

  #found(kind: SupplierKind, filter: object): Promise<LedgerEntry[]> {
    const { collections } = this.#connection;
    return this.#connection.run(async (session) => {
      const options = { ...this.#connection.current(session), ...inOneAnswer };
      return (await collections.ledgers[kind].find(filter, options).toArray()).map(entryFrom);
    });
  }
}

/** The entry for each name, in the order of the names; undefined if there is none. */
function inOrderOf(
  names: readonly string[],
  found: readonly LedgerEntry[],
  nameOf: (entry: LedgerEntry) => string,
): (LedgerEntry | undefined)[] {
  const byName = new Map(found.map((entry) => [nameOf(entry), entry]));
  return names.map((name) => byName.get(name));
}

function documentOf({ entry: { key, ...fields }, at }: DatedEntry): ReservationDocument {
  return { _id: key, v: documentVersion, ...fields, ...defined({ at }) };
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
