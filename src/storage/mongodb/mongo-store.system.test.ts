import { ClientSession, type Document } from 'mongodb';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { archiveStoreContract } from '../../../test/contract/archive-store.ts';
import { ledgerContract } from '../../../test/contract/ledger.ts';
import { outboxContract } from '../../../test/contract/outbox.ts';
import { paymentLedgerContract } from '../../../test/contract/payment-ledger.ts';
import { sampleChange, sampleInventory, sampleOrder, samplePackage } from '../../../test/contract/samples.ts';
import { storeContract } from '../../../test/contract/store.ts';
import { strategiesContract } from '../../../test/contract/strategies.ts';
import { mongodOfFile } from '../../../test/support/servers/mongod-of-file.ts';
import type { Fence } from '../../domain/messages.ts';
import { type NoticeChannel, noticeChannels } from '../../domain/notices.ts';
import type { Order, OrderStatus } from '../../domain/order.ts';
import { StoreUnavailableError } from '../store.ts';
import type { MongoConnectionOptions } from './connection.ts';
import { refuseNewer } from './documents.ts';
import { type MongoStore, openMongoStore } from './mongo-store.ts';

const mongo = mongodOfFile();
beforeEach(async () => {
  const collections = await mongo.raw.db('ticket-booking').collections();
  await Promise.all(collections.map((each) => each.deleteMany({})));
});

const openWith = (options: Omit<MongoConnectionOptions, 'url'>) => async () => {
  let store = await openMongoStore({ url: mongo.server.url, ...options });
  return {
    store,
    async reopen() {
      await store.close();
      store = await openMongoStore({ url: mongo.server.url, ...options });
      return store;
    },
    async spoil(id: number | string, how: number | 'damaged') {
      const removed = typeof id === 'number' ? { figures: 1 } : { timeline: 1 };
      const change = how === 'damaged' ? { $unset: removed } : { $set: { v: how } };
      await collection(typeof id === 'number' ? 'packages' : 'orders').updateOne({ _id: id }, change);
    },
    close: () => store.close(),
  };
};
const openStore = openWith({});
storeContract('MongoDB', openStore);
archiveStoreContract('MongoDB', openStore);
outboxContract('MongoDB', openWith({ noticeChannels }));
strategiesContract('MongoDB', openStore);

test('an archive ends the transaction that a killed archive left open', async () => {
  const [killed, next] = [
    await openMongoStore({ url: mongo.server.url }),
    await openMongoStore({ url: mongo.server.url }),
  ];
  await next.addPackages([samplePackage({ id: 1 })]);
  const { fence } = (await next.versionedPackage(1))!;
  const ended = [sampleOrder(1, { status: 'failed' })];
  await next.commit(1, fence, sampleChange({ inserted: ended }));
  const committing = vi.spyOn(ClientSession.prototype, 'commitTransaction');
  committing.mockReturnValueOnce(new Promise(() => {}));
  const left = killed.archive.removeOrders(1, ended, []).catch((error: unknown) => error);
  await vi.waitFor(() => expect(committing).toHaveBeenCalledOnce());
  expect(await next.archive.removeOrders(1, ended, [])).toBe(1);
  expect(await next.order('ORDER-1-1')).toBeUndefined();
  await killed.close();
  expect(await left).toBeInstanceOf(StoreUnavailableError);
  await next.close();
  committing.mockRestore();
});

paymentLedgerContract('MongoDB', async () => {
  let store = await openMongoStore({ url: mongo.server.url });
  return {
    ledger: store.ledger.payments,
    async reopen() {
      await store.close();
      store = await openMongoStore({ url: mongo.server.url });
      return store.ledger.payments;
    },
    close: () => store.close(),
  };
});

ledgerContract('MongoDB', async () => {
  let store = await openMongoStore({ url: mongo.server.url });
  return {
    ledger: store.ledger,
    async reopen() {
      await store.close();
      store = await openMongoStore({ url: mongo.server.url });
      return store.ledger;
    },
    close: () => store.close(),
  };
});

async function withStore(
  options: { readonly countsEmails?: boolean; readonly noticeChannels?: readonly NoticeChannel[] },
  use: (store: MongoStore) => Promise<void>,
): Promise<void> {
  const store = await openMongoStore({ url: mongo.server.url, ...options });
  try {
    await store.addPackages([samplePackage()]);
    await use(store);
  } finally {
    await store.close();
  }
}

/** A document with any fields. */
interface AnyDocument extends Document {
  readonly _id: string | number;
}

const collection = (name: string) => mongo.raw.db('ticket-booking').collection<AnyDocument>(name);

/** Takes ownership and commits. */
async function commit(store: MongoStore, inserted: Order[], updated: Order[] = []): Promise<Fence> {
  const { fence, inventory } = (await store.takeOwnership(1, 'one'))!;
  await store.commit(1, fence, { inventory, inserted, updated });
  return { ...fence, seq: fence.seq + 1 };
}

describe('two releases side by side:', () => {
  const booked: Order = {
    ...sampleOrder(1, { status: 'confirmed' }),
    flight: { ticketNumber: 'F-1' },
    hotel: { reservationNumber: 'H-1' },
  };

  test('fields of a newer release survive changes by this release, and are not returned', () =>
    withStore({}, async (store) => {
      await commit(store, [booked, sampleOrder(2)]);
      await collection('orders').updateOne(
        { _id: booked.id },
        { $set: { seat: '12A', 'flight.gate': 7, 'hotel.floor': 3, 'package.meal': true } },
      );
      await collection('packages').updateOne(
        { _id: 1 },
        { $set: { photo: 'a.jpg', 'package.region': 'EU', 'figures.refunds': 4, 'owner.zone': 'z' } },
      );
      expect(await store.order(booked.id)).toStrictEqual(booked);
      expect(await store.package(1)).toStrictEqual({
        package: samplePackage(),
        inventory: sampleInventory(),
      });

      const { fence } = (await store.takeOwnership(1, 'old release'))!;
      const cancelling: Order = { ...booked, status: 'cancelling', hotel: { reservationNumber: 'H-2' } };
      await store.commit(1, fence, {
        ...sampleChange({ updated: [cancelling], package: samplePackage({ version: 2 }) }),
        inventory: sampleInventory({ remaining: 4, held: 1 }),
      });
      expect(await store.order(booked.id)).toStrictEqual(cancelling);
      expect(await collection('orders').findOne({ _id: booked.id })).toMatchObject({
        seat: '12A',
        flight: { ticketNumber: 'F-1', gate: 7 },
        hotel: { reservationNumber: 'H-2', floor: 3 },
        package: { meal: true },
        v: 1,
      });
      expect(await collection('packages').findOne({ _id: 1 })).toMatchObject({
        photo: 'a.jpg',
        package: { region: 'EU', version: 2 },
        figures: { refunds: 4, remaining: 4 },
        owner: { zone: 'z' },
      });
    }));

  test('fields of a newer release in a timeline entry survive when this release adds an entry', () =>
    withStore({}, async (store) => {
      await commit(store, [sampleOrder(1)]);
      await collection('orders').updateOne({ _id: 'ORDER-1-1' }, { $set: { 'timeline.0.by': 'one' } });
      const found = (await store.order('ORDER-1-1')) as Order;
      await commit(store, [], [{ ...found, timeline: [...found.timeline, { at: 5, event: 'claimed' }] }]);
      const kept = await collection('orders').findOne({ _id: 'ORDER-1-1' });
      expect(kept?.timeline).toEqual([
        { at: 1_660_000_000_001, event: 'queued', by: 'one' },
        { at: 5, event: 'claimed' },
      ]);
    }));

  test('Q11 an older release refuses an order that has to be paid, and reads all others', () =>
    withStore({}, async (store) => {
      const payment = { amount: 10_000, currency: 'EUR' };
      const paying = sampleOrder(2, { status: 'held', payment });
      const fence = await commit(store, [booked, paying]);
      const versions = async () =>
        (await collection('orders').find().sort({ _id: 1 }).toArray()).map(({ v }) => v);
      expect(await versions()).toEqual([1, 2]);
      // An older release reads orders up to version 1.
      expect(() => refuseNewer({ v: 1 })).not.toThrow();
      expect(() => refuseNewer({ v: 2 })).toThrow('newer release (document version 2)');
      const confirmed: Order = { ...paying, status: 'confirmed' };
      await store.commit(1, fence, sampleChange({ updated: [confirmed] }));
      expect(await versions()).toEqual([1, 2]);
      expect(await store.order(paying.id)).toStrictEqual(confirmed);
    }));

  test('an order of a newer release is refused, with and without a payment', () =>
    withStore({}, async (store) => {
      const payment = { amount: 10_000, currency: 'EUR' };
      await commit(store, [sampleOrder(1), sampleOrder(2, { payment })]);
      await collection('orders').updateMany({}, { $inc: { v: 1 } });
      for (const id of ['ORDER-1-1', 'ORDER-1-2'])
        await expect(store.order(id)).rejects.toThrow('newer release');
    }));

  test('a reservation with a newer version is refused', () =>
    withStore({}, async (store) => {
      await store.ledger.record('flights', {
        ...{ key: 'A', number: 'F-A', status: 'active', subject: 'Flight-1', packageId: 1 },
      });
      await collection('flights').updateOne({ _id: 'A' }, { $set: { v: 2 } });
      await expect(store.ledger.find('flights', 'A')).rejects.toThrow(
        /newer release \(document version 2\): run that release/,
      );
    }));

  test('a package with a newer document version keeps its owner and epoch', () =>
    withStore({}, async (store) => {
      await store.takeOwnership(1, 'newer');
      await collection('packages').updateOne({ _id: 1 }, { $set: { v: 3 } });
      await expect(store.takeOwnership(1, 'older')).rejects.toThrow('newer release');
      expect(await collection('packages').findOne({ _id: 1 })).toMatchObject({
        epoch: 1,
        owner: { instance: 'newer' },
      });
    }));

  test('Q12 a takeover finds a damaged unfinished order, also without its number', () =>
    withStore({}, async (store) => {
      await commit(store, [sampleOrder(1), sampleOrder(2)]);
      await collection('orders').updateOne({ _id: 'ORDER-1-2' }, { $unset: { number: 1, status: 1 } });
      await expect(store.takeOwnership(1, 'one')).rejects.toThrow(
        'order ORDER-1-2 of package 1 cannot be read',
      );
    }));

  test('taking over raises the version of an older document', () =>
    withStore({}, async (store) => {
      await collection('packages').updateOne({ _id: 1 }, { $set: { v: 1 } });
      await store.takeOwnership(1, 'one');
      expect(await collection('packages').findOne({ _id: 1 })).toMatchObject({ v: 2 });
    }));
});

describe('held orders that their package names:', () => {
  const claimed = (number: number, over: Partial<Order> = {}) =>
    sampleOrder(number, {
      status: 'held',
      timeline: [{ at: 1_660_000_000_000 + number, event: 'claimed' }],
      ...over,
    });
  const held = (count: number, nextNumber: number) =>
    sampleInventory({ remaining: 5_000 - count, held: count, nextNumber });
  const numbersOf = (orders: readonly Order[] | undefined) => orders?.map(({ number }) => number);
  const stored = (id: string) => collection('orders').findOne({ _id: id });
  const named = async () => Object.keys((await collection('packages').findOne({ _id: 1 }))?.inFlight ?? {});

  test('Q6 a takeover finds them among the others, by number', () =>
    withStore({}, async (store) => {
      await commit(store, [claimed(2), sampleOrder(1), sampleOrder(3), claimed(4), claimed(5)]);
      expect(await stored('ORDER-1-2')).not.toHaveProperty('unfinished');
      expect(await stored('ORDER-1-3')).toHaveProperty('unfinished', true);
      expect(await store.packagesWithUnfinished()).toEqual([1]);
      expect(numbersOf((await store.takeOwnership(1, 'two'))?.unfinished)).toEqual([1, 2, 3, 4, 5]);
      const first = { statuses: ['queued', 'held'], max: 3 } as const;
      expect(numbersOf((await store.versionedPackage(1, first))?.orders)).toEqual([1, 2, 3]);
      const later = { ...first, above: 3 };
      expect(numbersOf((await store.versionedPackage(1, later))?.orders)).toEqual([4, 5]);
    }));

  test('Q6 an order that is no longer held is not named', () =>
    withStore({}, async (store) => {
      await commit(store, [claimed(1), claimed(2), claimed(3), claimed(4)]);
      expect(await named()).toEqual([1, 2, 3, 4].map((number) => `ORDER-1-${number}`));
      await commit(
        store,
        [],
        [
          claimed(1, { flight: { ticketNumber: 'F-1' } }),
          claimed(2, { status: 'compensating' }),
          claimed(3, { status: 'confirmed' }),
          claimed(4, { status: 'failed' }),
        ],
      );
      expect(await named()).toEqual(['ORDER-1-1']);
      expect(numbersOf((await store.takeOwnership(1, 'two'))?.unfinished)).toEqual([1, 2]);
      await commit(store, [], [claimed(1, { status: 'confirmed' }), claimed(2, { status: 'failed' })]);
      expect(await named()).toEqual([]);
      expect(await store.packagesWithUnfinished()).toEqual([]);
      expect((await store.takeOwnership(1, 'two'))?.unfinished).toEqual([]);
      await commit(store, [], [claimed(3, { status: 'cancelling' })]);
      expect(numbersOf((await store.takeOwnership(1, 'two'))?.unfinished)).toEqual([3]);
    }));

  test('Q6 an order that waited in the queue stays in the index until it ends', () =>
    withStore({}, async (store) => {
      await commit(store, [sampleOrder(1), sampleOrder(2)]);
      await commit(store, [], [sampleOrder(1, { status: 'held' })]);
      expect(await named()).toEqual([]);
      expect(numbersOf((await store.takeOwnership(1, 'two'))?.unfinished)).toEqual([1, 2]);
      await commit(store, [], [sampleOrder(1, { status: 'confirmed' })]);
      expect(numbersOf((await store.takeOwnership(1, 'two'))?.unfinished)).toEqual([2]);
    }));

  test('Q6 Q12 are at most a thousand, so that the package stays small', () =>
    withStore({}, async (store) => {
      const orders = Array.from({ length: 1_500 }, (_, each) => claimed(each + 1));
      for (const [from, count] of [
        [0, 1_000],
        [1_000, 500],
      ] as const) {
        const { fence } = (await store.takeOwnership(1, 'one'))!;
        const inserted = orders.slice(from, from + count);
        const inventory = held(from + count, from + count + 1);
        await store.commit(1, fence, { inventory, inserted, updated: [] });
      }
      expect(await named()).toHaveLength(1_000);
      expect((await store.takeOwnership(1, 'two'))?.unfinished).toStrictEqual(orders);
    }));

  test('Q12 a takeover finds them also when they are damaged', () =>
    withStore({}, async (store) => {
      await commit(store, [claimed(1), claimed(2)]);
      await collection('orders').updateOne({ _id: 'ORDER-1-2' }, { $unset: { number: 1, status: 1 } });
      await expect(store.takeOwnership(1, 'one')).rejects.toThrow(
        'order ORDER-1-2 of package 1 cannot be read',
      );
    }));

  test('Q6 the release before did not name them, and leaves a package alone that does', () =>
    withStore({}, async (store) => {
      await commit(store, [claimed(1), claimed(2)]);
      expect(await collection('packages').findOne({ _id: 1 })).toMatchObject({ v: 2 });
      await collection('orders').updateMany({}, { $set: { unfinished: true } });
      await collection('packages').updateOne({ _id: 1 }, { $set: { v: 1 }, $unset: { inFlight: true } });
      expect(await store.packagesWithUnfinished()).toEqual([1]);
      expect(numbersOf((await store.takeOwnership(1, 'two'))?.unfinished)).toEqual([1, 2]);
      await commit(store, [claimed(3)], [claimed(1, { status: 'confirmed' })]);
      expect(await stored('ORDER-1-1')).not.toHaveProperty('unfinished');
      expect(numbersOf((await store.takeOwnership(1, 'two'))?.unfinished)).toEqual([2, 3]);
      // Engines without owners commit without a takeover.
      await collection('packages').updateOne({ _id: 1 }, { $set: { v: 1 } });
      const { fence } = (await store.versionedPackage(1))!;
      await store.commit(1, fence, sampleChange({ inserted: [claimed(4)] }));
      expect(await collection('packages').findOne({ _id: 1 })).toMatchObject({ v: 2 });
    }));
});

test('many instances may start at once on an empty server', async () => {
  const url = mongo.server.url.replace('/?', '/crowded?');
  const stores = await Promise.all(Array.from({ length: 8 }, () => openMongoStore({ url })));
  const secrets = await Promise.all(stores.map((store, each) => store.setting('secret', () => `${each}`)));
  expect(new Set(secrets).size).toBe(1);
  const added = await Promise.all(stores.map((store) => store.addPackages([samplePackage()])));
  expect(added.flat()).toEqual([1]);
  await Promise.all(stores.map((store) => store.close()));
});

describe('no query reads more documents than it needs:', () => {
  test('each query uses its index', () =>
    withStore({ countsEmails: true }, async (store) => {
      const statuses: OrderStatus[] = ['queued', 'held', 'confirmed', 'failed', 'withdrawn'];
      const many = Array.from({ length: 500 }, (_, each) =>
        sampleOrder(each + 1, { status: each < 10 ? statuses[each % 5]! : 'failed' }),
      );
      await commit(store, many);
      await commit(store, [sampleOrder(501, { status: 'held' })]);
      const db = mongo.raw.db('ticket-booking');
      await db.command({ profile: 2 });
      const keys = ['key-1', 'key-500', 'nobody'];
      await store.packagesWithUnfinished();
      await store.takeOwnership(1, 'one');
      await store.order('ORDER-1-1');
      await store.orders(['ORDER-1-1', 'ORDER-1-400']);
      await store.ordersByKey(1, keys);
      await store.liveOrdersByEmail(1, ['buyer1@example.com', 'buyer400@example.com', 'nobody']);
      await store.ordersPage(1, '490', 5);
      await store.ordersByEmail('buyer400@example.com', undefined, 5);
      await store.ordersByEmail('buyer400@example.com', '1-401', 5);
      await commit(store, [], [{ ...many[0]!, status: 'held' }]);
      await store.ledger.findByNumber('flights', 'F-1');
      await store.ledger.page('flights', 'A', 5);
      await db.command({ profile: 0 });

      const profile = db.collection('system.profile');
      const found = await profile
        .find({ ns: /orders|flights|packages/, planSummary: { $exists: true } })
        .toArray();
      await profile.drop();
      expect(found.length).toBeGreaterThanOrEqual(12);
      for (const { planSummary, docsExamined, keysExamined, command } of found) {
        const words = JSON.stringify({ planSummary, docsExamined, keysExamined, command });
        expect(planSummary, words).toMatch(/IXSCAN|IDHACK|DISTINCT_SCAN|EXPRESS/);
        expect(docsExamined, words).toBeLessThanOrEqual(6);
        expect(keysExamined, words).toBeLessThanOrEqual(8);
      }
    }));

  test('the outbox reads only orders that owe a notice of its channel', () =>
    withStore({ noticeChannels }, async (store) => {
      const many = Array.from({ length: 500 }, (_, each) => sampleOrder(each + 1, { status: 'confirmed' }));
      const fence = await commit(store, many);
      const owing = many.slice(100, 103);
      const notices = noticeChannels.flatMap((channel) =>
        owing.map(({ id: orderId }) => ({ channel, orderId, event: 'confirmed' as const })),
      );
      await store.commit(1, fence, sampleChange({ updated: owing, notices }));
      const db = mongo.raw.db('ticket-booking');
      await db.command({ profile: 2 });
      await store.outbox.packagesOwing(noticeChannels);
      for (const channel of noticeChannels) {
        await store.outbox.owed(channel, 1, undefined, 2);
        await store.outbox.owed(channel, 1, 'ORDER-1-102', 2);
      }
      await store.outbox.settle(1, notices.slice(0, 1), []);
      await db.command({ profile: 0 });

      const profile = db.collection('system.profile');
      const found = await profile.find({ ns: /orders/, planSummary: { $exists: true } }).toArray();
      await profile.drop();
      for (const channel of noticeChannels) {
        const byIndex = found.filter(({ execStats }) =>
          JSON.stringify(execStats).includes(`"may_owe_${channel}"`),
        );
        expect(byIndex, JSON.stringify(found)).toHaveLength(3);
      }
      for (const { planSummary, docsExamined, keysExamined, command } of found) {
        const words = JSON.stringify({ planSummary, docsExamined, keysExamined, command });
        expect(planSummary, words).toMatch(/IXSCAN|IDHACK|DISTINCT_SCAN|EXPRESS/);
        expect(docsExamined, words).toBeLessThanOrEqual(3);
        expect(keysExamined, words).toBeLessThanOrEqual(4);
      }
    }));

  test('owing a notice changes no index: held orders are in it, and leave it when they owe nothing', () =>
    withStore({ noticeChannels }, async (store) => {
      const held = Array.from({ length: 5 }, (_, each) => sampleOrder(each + 1, { status: 'held' }));
      const fence = await commit(store, held);
      expect((await store.outbox.owed('mail', 1, undefined, 9)).items).toEqual([]);
      const db = mongo.raw.db('ticket-booking');
      await db.command({ profile: 2 });
      const updated = held.map((order) => ({ ...order, status: 'confirmed' as const }));
      const notices = noticeChannels.flatMap((channel) =>
        held.map(({ id: orderId }) => ({ channel, orderId, event: 'confirmed' as const })),
      );
      await store.commit(1, fence, sampleChange({ updated, notices }));
      await db.command({ profile: 0 });
      const profile = db.collection('system.profile');
      const updates = await profile.find({ ns: /orders/, op: 'update' }).toArray();
      await profile.drop();
      expect(updates).toHaveLength(5);
      for (const { keysInserted = 0, keysDeleted = 0, nModified } of updates) {
        expect({ keysInserted, keysDeleted, nModified }).toEqual({
          keysInserted: 0,
          keysDeleted: 0,
          nModified: 1,
        });
      }

      const marked = (channel: string) =>
        collection('orders').countDocuments({ [`mayOwe.${channel}`]: true });
      expect((await store.outbox.owed('mail', 1, undefined, 9)).items).toHaveLength(5);
      await store.outbox.settle(1, notices.slice(0, 2), []);
      expect((await store.outbox.owed('mail', 1, undefined, 9)).items).toHaveLength(3);
      expect([await marked('mail'), await marked('webhook')]).toEqual([3, 5]);
    }));
});

test('look-ups by key from one turn of the event loop share a query', () =>
  withStore({}, async (store) => {
    await commit(store, [sampleOrder(1), sampleOrder(2)]);
    const db = mongo.raw.db('ticket-booking');
    await db.command({ profile: 2 });
    const keys = ['key-1', 'nobody', 'key-2', 'key-1'];
    // Each in a callback of its own, as requests arrive.
    const lookUp = (key: string) =>
      new Promise<void>((resolve) => setImmediate(resolve)).then(() => store.ordersByKey(1, [key]));
    const found = await Promise.all(keys.map(lookUp));
    await db.command({ profile: 0 });
    expect(found.map(([order]) => order?.number)).toEqual([1, undefined, 2, 1]);
    const profile = db.collection('system.profile');
    expect(await profile.countDocuments({ 'command.find': 'orders' })).toBe(1);
    await profile.drop();
  }));

describe('errors have no email and no key:', () => {
  test('the error of a duplicate key names only the index', () =>
    withStore({}, async (store) => {
      const secret = { key: 'a-secret-key', email: 'ann@example.com' };
      await commit(store, [sampleOrder(1, secret)]);
      const error: Error = await commit(store, [sampleOrder(2, secret)]).then(
        () => expect.unreachable(),
        (reason: Error) => reason,
      );
      expect(error.message).toContain('(index by_key)');
      expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toMatch(/secret|ann@/);
    }));
});
