import { type ClientSession, UUID } from 'mongodb';
import type { Order } from '../../domain/order.ts';
import type { Page } from '../../lib/page.ts';
import { publicKeyPrefix, type SupplierKind, supplierKinds } from '../../suppliers/suppliers.ts';
import type { ArchiveStore, StoredReservation } from '../archive-store.ts';
import type { OperatorEvent, OperatorLog } from '../operator-log.ts';
import { noticeIdsOf } from '../outbox.ts';
import { eventCursorAfter, pageOf, publicKeysEnd } from '../store-helpers.ts';
import { transactionOptions } from './commit.ts';
import { CommitSession } from './commit-session.ts';
import type { Connection } from './connection.ts';
import {
  documentVersion,
  type OrderDocument,
  payingOrderVersion,
  type ReservationDocument,
  refuseNewer,
} from './documents.ts';
import { first, inOneAnswer } from './reads.ts';

/** The setting with the id of the session in which an archive last removed orders. */
const sessionSetting = 'archive-session';

/** Archives a store on MongoDB. */
export class MongoArchive implements ArchiveStore {
  readonly #connection: Connection;
  readonly #operatorEvents: OperatorLog['operatorEvents'];
  /** Undefined before the first transaction. */
  #session: Promise<CommitSession> | undefined;

  constructor(connection: Connection, operatorEvents: OperatorLog['operatorEvents']) {
    this.#connection = connection;
    this.#operatorEvents = operatorEvents;
  }

  async reservationsOf(orderIds: readonly string[]): Promise<StoredReservation[]> {
    const found = await Promise.all(
      supplierKinds.map((kind) => this.#found(kind, { _id: { $in: [...orderIds] } }, inOneAnswer)),
    );
    return found.flat();
  }

  async publicReservations(
    kind: SupplierKind,
    cursor: string | undefined,
    limit: number,
  ): Promise<Page<StoredReservation>> {
    const filter = { _id: { $gt: cursor ?? publicKeyPrefix, $lt: publicKeysEnd } };
    const found = await this.#found(kind, filter, { ...first(limit), sort: { _id: 1 } });
    return pageOf(found, limit, ({ key }) => key);
  }

  operatorEventsBefore(at: number, cursor: string | undefined, limit: number): Promise<Page<OperatorEvent>> {
    return this.#operatorEvents(cursor ?? eventCursorAfter({ at, id: '' }), limit);
  }

  /** The transaction does not touch the package's document, so it delays none of its owner's commits. */
  removeOrders(
    packageId: number,
    orders: readonly Order[],
    reservations: readonly StoredReservation[],
  ): Promise<number> {
    const { collections } = this.#connection;
    return this.#inTransaction(async (session) => {
      const given = new Map(orders.map((order) => [order.id, order]));
      const stored = collections.orders.find(
        { _id: { $in: [...given.keys()] }, packageId, v: { $lte: payingOrderVersion } },
        { session, ...inOneAnswer },
      );
      const same = (await stored.toArray()).filter((found) => isSame(found, given.get(found._id)));
      if (same.length === 0) return 0;
      const ids = same.map(({ _id }) => _id);
      const confirmed = same.filter(({ status }) => status === 'confirmed');
      await collections.orders.deleteMany({ _id: { $in: ids }, packageId }, { session });
      await collections.archivedPackages.updateOne(
        { _id: packageId },
        { $inc: { orders: ids.length, confirmed: confirmed.length }, $setOnInsert: { v: documentVersion } },
        { session, upsert: true },
      );
      if (confirmed.length > 0) {
        const documents = confirmed.map(({ _id }) => ({ _id, v: documentVersion }));
        await collections.archivedOrders.insertMany(documents, { session });
      }
      const letters = ids.flatMap(noticeIdsOf);
      await collections.deadLetters.deleteMany({ _id: { $in: letters } }, { session });
      await this.#remove(
        reservations.filter(({ key }) => ids.includes(key)),
        session,
      );
      return ids.length;
    });
  }

  removeReservations(reservations: readonly StoredReservation[]): Promise<number> {
    return this.#connection.write((session) => this.#remove(reservations, session));
  }

  async removeOperatorEvents(events: readonly OperatorEvent[]): Promise<number> {
    const { operatorEvents } = this.#connection.collections;
    return this.#connection.write((session) =>
      removed(
        operatorEvents,
        events.map(({ id, at, outcome }) => ({ _id: id, at, outcome })),
        session,
      ),
    );
  }

  async #remove(reservations: readonly StoredReservation[], session: ClientSession): Promise<number> {
    let count = 0;
    for (const kind of supplierKinds) {
      const filters = reservations.filter((each) => each.kind === kind).map(filterOf);
      count += await removed(this.#connection.collections.ledgers[kind], filters, session);
    }
    return count;
  }

  async #found(kind: SupplierKind, filter: object, options: object): Promise<StoredReservation[]> {
    const { collections } = this.#connection;
    return this.#connection.run(async (session) => {
      const all = { ...this.#connection.current(session), ...options };
      const documents = await collections.ledgers[kind].find(filter, all).toArray();
      return documents.map((document) => reservationFrom(kind, document));
    });
  }

  /** Tries once: after an error with an unknown outcome the caller may repeat the removal. */
  #inTransaction<T>(work: (session: ClientSession) => Promise<T>): Promise<T> {
    const connection = this.#connection;
    connection.refuseClosed();
    return connection.bounded(
      this.#registered().then((registered) =>
        registered.turn(async (session) => {
          connection.catchUp(session);
          session.startTransaction(transactionOptions(connection.timeoutMs));
          try {
            const result = await work(session);
            await session.commitTransaction();
            connection.wrote(session);
            return result;
          } catch (error) {
            if (session.inTransaction()) await session.abortTransaction();
            throw error;
          }
        }),
      ),
    );
  }

  #registered(): Promise<CommitSession> {
    this.#session ??= this.#register().catch((error: unknown) => {
      this.#session = undefined;
      throw error;
    });
    return this.#session;
  }

  /**
   * Stores the id of this run's session, and ends the session of the run before: if that run was killed, its open
   * transaction would lock its orders for a minute.
   */
  async #register(): Promise<CommitSession> {
    const { client, collections, timeoutMs } = this.#connection;
    const session = new CommitSession(client, timeoutMs, () => {
      this.#session = undefined;
    });
    const before = await collections.settings.findOneAndUpdate(
      { _id: sessionSetting },
      { $set: { value: session.id.toString() }, $setOnInsert: { v: documentVersion } },
      { upsert: true, returnDocument: 'before' },
    );
    if (before !== null) {
      const killSessions = [{ id: new UUID(before.value) }];
      // Without the right to do this, the removal is tried again until the transaction has ended by itself.
      await client
        .db('admin')
        .command({ killSessions })
        .catch(() => {});
    }
    return session;
  }
}

/** Whether the order is as it was read. Every change changes its status, its timeline's length or its email. */
function isSame({ number, status, email, timeline }: OrderDocument, order: Order | undefined): boolean {
  return (
    order?.number === number &&
    order.status === status &&
    order.email === email &&
    order.timeline.length === timeline.length
  );
}

function reservationFrom(kind: SupplierKind, document: ReservationDocument): StoredReservation {
  refuseNewer(document);
  const { _id: key, number, status, subject, packageId, at } = document;
  return { kind, key, number, status, subject, packageId, ...(at === undefined ? {} : { at }) };
}

/** Finds an entry if it is as it was read. Null finds a missing field. */
function filterOf({ key, status, number, at }: StoredReservation): object {
  return { _id: key, status, number, at: at ?? null };
}

interface Removable {
  deleteMany(filter: object, options: { session: ClientSession }): Promise<{ readonly deletedCount: number }>;
}

/** Deletes the document of each filter. Returns how many there were. */
async function removed(
  collection: Removable,
  filters: readonly object[],
  session: ClientSession,
): Promise<number> {
  if (filters.length === 0) return 0;
  return (await collection.deleteMany({ $or: filters }, { session })).deletedCount;
}
