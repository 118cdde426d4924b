/** The floor on MongoDB: each write is acknowledged by a majority and journaled. `DATABASE_URL` names a replica set. */
import { type Collection, MongoClient } from 'mongodb';
import { type FloorStore, runFloor } from './floor.ts';
import type { BaselineOrder } from './order-route.ts';

interface Collections {
  readonly journal: Collection<{ readonly _id: number; readonly claims: readonly BaselineOrder[] }>;
  readonly ledger: Collection<{ readonly _id: string; readonly order: string }>;
  readonly orders: Collection<Omit<BaselineOrder, 'id'> & { readonly _id: string }>;
}

await runFloor(async () => {
  const { DATABASE_URL = 'mongodb://127.0.0.1:27017/?replicaSet=rs0' } = process.env;
  const client = new MongoClient(DATABASE_URL, { w: 'majority', journal: true, retryWrites: false });
  const db = client.db('bench-floor');
  await db.dropDatabase();
  const store = storeIn({
    journal: await db.createCollection('journal'),
    ledger: await db.createCollection('ledger'),
    orders: await db.createCollection('orders'),
  });
  return {
    ...store,
    async [Symbol.asyncDispose]() {
      await db.dropDatabase();
      await client.close();
    },
  };
});

function storeIn({ journal, ledger, orders }: Collections): Omit<FloorStore, typeof Symbol.asyncDispose> {
  return {
    async claim(slot, claims) {
      await journal.replaceOne({ _id: slot }, { claims }, { upsert: true });
    },
    async reserve(supplier, batch) {
      await ledger.insertMany(
        batch.map(({ id, flight, hotel }) => ({
          _id: supplier === 'flight' ? flight.ticketNumber : hotel.reservationNumber,
          order: id,
        })),
      );
    },
    async confirm(batch) {
      await orders.insertMany(batch.map(({ id, ...order }) => ({ _id: id, ...order })));
    },
    async stored() {
      const sold = await orders
        .aggregate<{ _id: number; orders: number }>([{ $group: { _id: '$packageId', orders: { $sum: 1 } } }])
        .toArray();
      return {
        orders: new Map(sold.map(({ _id, orders: count }) => [_id, count])),
        reservations: await ledger.countDocuments(),
      };
    },
  };
}
