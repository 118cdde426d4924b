import type { AnyBulkWriteOperation, Filter, UpdateFilter } from 'mongodb';
import { isOutdated, type Notice, type NoticeChannel, noticeEvents } from '../../domain/notices.ts';
import type { Order } from '../../domain/order.ts';
import type { Page } from '../../lib/page.ts';
import { type DeadLetter, noticeId, type OutboxStore, type OwedOrder, type Revived } from '../outbox.ts';
import { UnreadableError } from '../store.ts';
import { eventCursorAfter, nextAfter, pageOf, parseEventCursor } from '../store-helpers.ts';
import { sift, type UnreadableDocuments } from '../unreadable.ts';
import { mayOweIndex, owing, owingNone } from './collections.ts';
import type { Connection } from './connection.ts';
import {
  type DeadLetterDocument,
  documentVersion,
  mayOweField,
  noticeField,
  type OrderDocument,
  orderFrom,
  refuseNewer,
} from './documents.ts';
import { first, inOneAnswer } from './reads.ts';

/** How many orders a look for packages reads at once. */
const owingPage = 200;

/**
 * The notices of a store on MongoDB. An order's document names the notices that the order owes, so that a commit that
 * owes some needs no further command. Settling them takes one command, however many there are.
 */
export class MongoOutbox implements OutboxStore {
  readonly #connection: Connection;
  readonly #unreadable: UnreadableDocuments;

  constructor(connection: Connection, unreadable: UnreadableDocuments) {
    this.#connection = connection;
    this.#unreadable = unreadable;
  }

  async owed(
    channel: NoticeChannel,
    packageId: number,
    cursor: string | undefined,
    limit: number,
  ): Promise<Page<OwedOrder>> {
    const connection = this.#connection;
    const documents = await connection.run((session) => {
      const filter = { packageId, _id: { $gt: cursor ?? '' }, ...owing(channel) };
      const options = { ...connection.current(session), ...first(limit), sort: { _id: 1 } } as const;
      return connection.collections.orders.find(filter as Filter<OrderDocument>, options).toArray();
    });
    return {
      items: sift(documents.map((document) => this.#owedOrder(channel, document))).items,
      ...nextAfter(documents, limit, ({ _id }) => _id),
    };
  }

  async packagesOwing(channels: readonly NoticeChannel[]): Promise<number[]> {
    const found = await Promise.all(channels.map((channel) => this.#packagesOwing(channel)));
    return [...new Set(found.flat())].sort((one, other) => one - other);
  }

  /** Leaps over the further orders of a package, of which a sell-out may leave 100,000 that owe a notice. */
  async #packagesOwing(channel: NoticeChannel): Promise<number[]> {
    const connection = this.#connection;
    const ids = new Set<number>();
    for (let above = -1; ; ) {
      const page = await connection.run((session) => {
        const filter = { packageId: { $gt: above }, ...owing(channel) };
        const options = { ...connection.current(session), sort: { packageId: 1 }, limit: owingPage } as const;
        return connection.collections.orders
          .find(filter as Filter<OrderDocument>, { ...options, hint: mayOweIndex(channel) })
          .project<Pick<OrderDocument, 'packageId'>>({ _id: 0, packageId: 1 })
          .toArray();
      });
      for (const { packageId } of page) ids.add(packageId);
      const last = page.at(-1);
      if (last === undefined || page.length < owingPage) return [...ids];
      above = last.packageId;
    }
  }

  /** The dead letters are stored first: a crash in between repeats a notice, and loses none. */
  async settle(
    packageId: number,
    delivered: readonly Notice[],
    givenUp: readonly DeadLetter[],
  ): Promise<void> {
    const { orders, deadLetters } = this.#connection.collections;
    await this.#connection.write(async (session) => {
      if (givenUp.length > 0) await deadLetters.bulkWrite(givenUp.map(burialOf), { session });
      const settled = [...delivered, ...givenUp];
      const byField = [...Map.groupBy(settled, noticeField)].map(([field, notices]) =>
        removalOf(field, packageId, notices),
      );
      // After the notices: an order keeps the mark while it owes another notice of the channel.
      const byChannel = [...Map.groupBy(settled, ({ channel }) => channel)].map(([channel, notices]) =>
        removalOf(mayOweField(channel), packageId, notices, owingNone(channel)),
      );
      if (settled.length > 0) await orders.bulkWrite([...byField, ...byChannel], { session });
    });
  }

  async deadLetters(cursor: string | undefined, limit: number): Promise<Page<DeadLetter>> {
    const after = parseEventCursor(cursor);
    const older = after && { $or: [{ at: { $lt: after.at } }, { at: after.at, _id: { $lt: after.id } }] };
    const connection = this.#connection;
    const documents = await connection.run((session) => {
      const options = { ...connection.current(session), ...first(limit), sort: { at: -1, _id: -1 } } as const;
      return connection.collections.deadLetters.find(older ?? {}, options).toArray();
    });
    return pageOf(documents.map(deadLetterFrom), limit, (last) =>
      eventCursorAfter({ at: last.at, id: noticeId(last) }),
    );
  }

  /** The notices are owed first: a crash in between leaves a dead letter that can be revived again. */
  async revive(ids: readonly string[]): Promise<Revived> {
    const { orders, deadLetters } = this.#connection.collections;
    return this.#connection.write(async (session) => {
      const found = await deadLetters.find({ _id: { $in: [...ids] } }, { session, ...inOneAnswer }).toArray();
      const all = found.map(deadLetterFrom);
      const stored = await orders
        .find({ _id: { $in: all.map(({ orderId }) => orderId) } }, { session, ...inOneAnswer })
        .toArray();
      const byId = new Map(stored.map((document) => [document._id, this.#order(document)]));
      const letters = all.filter(({ orderId, event }) => {
        const order = byId.get(orderId);
        return order === undefined || order instanceof UnreadableError || !isOutdated(order, event);
      });
      const outdated = all.length - letters.length;
      if (letters.length === 0) return { letters, outdated };
      const owed = letters.map((letter) => ({
        updateOne: {
          filter: { _id: letter.orderId, packageId: letter.packageId },
          update: { $set: { [noticeField(letter)]: true, [mayOweField(letter.channel)]: true } },
        },
      }));
      await orders.bulkWrite(owed as AnyBulkWriteOperation<OrderDocument>[], {
        session,
      });
      // A letter of the same notice that was stored meanwhile, because it was refused again, is a newer one and stays.
      const read = letters.map((letter) => ({
        deleteOne: { filter: { _id: noticeId(letter), at: letter.at } },
      }));
      await deadLetters.bulkWrite(read, { session });
      return { letters: letters.filter(({ orderId }) => byId.has(orderId)), outdated };
    });
  }

  async discard(ids: readonly string[]): Promise<number> {
    const { deadLetters } = this.#connection.collections;
    return this.#connection.write(async (session) => {
      const { deletedCount } = await deadLetters.deleteMany({ _id: { $in: [...ids] } }, { session });
      return deletedCount;
    });
  }

  #owedOrder(channel: NoticeChannel, document: OrderDocument): OwedOrder | UnreadableError {
    const orderId = document._id;
    const order = this.#order(document);
    if (order instanceof UnreadableError) return order;
    const owed = document.notices?.[channel] ?? {};
    const events = noticeEvents.filter((event) => owed[event] === true);
    return { order, notices: events.map((event) => ({ channel, orderId, event })) };
  }

  #order(document: OrderDocument): Order | UnreadableError {
    const { _id: orderId, packageId } = document;
    return this.#unreadable.read({ packageId, orderId }, () => orderFrom(document));
  }
}

/** Removes a field of the orders of these notices that match the filter. */
function removalOf(
  field: string,
  packageId: number,
  notices: readonly Notice[],
  filter: object = {},
): AnyBulkWriteOperation<OrderDocument> {
  const ids = notices.map(({ orderId }) => orderId);
  const update = { $unset: { [field]: true } } as UpdateFilter<OrderDocument>;
  return { updateMany: { filter: { _id: { $in: ids }, packageId, ...filter }, update, hint: { _id: 1 } } };
}

function burialOf(letter: DeadLetter): AnyBulkWriteOperation<DeadLetterDocument> {
  const { channel, orderId, event, packageId, at, attempts, reason } = letter;
  const replacement = { v: documentVersion, channel, orderId, event, packageId, at, attempts, reason };
  return { replaceOne: { filter: { _id: noticeId(letter) }, replacement, upsert: true } };
}

function deadLetterFrom(document: DeadLetterDocument): DeadLetter {
  refuseNewer(document);
  const { _id: _, v: __, ...letter } = document;
  return letter;
}
