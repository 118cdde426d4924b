/**
 * The usual design: one conditional update per request takes a unit (`remaining > 0`, `$inc: -1`) and one insert stores
 * the order, both majority-committed and journaled as in the product. It does less than the product: no suppliers, no
 * saga, no queue, no live updates. The order is stored as confirmed with made-up numbers.
 *
 * It is tuned as far as it goes without group commit. The figures are of short runs with 64 and 512 callers:
 * - No transaction: two of them on one document conflict and restart. Instead it takes the unit first and then stores
 * the order; if the key was used before, it gives the unit back. Sending both writes at once was 7 % faster with 64
 * callers and 22 % slower with 512, because MongoDB's work on the one document is the bottleneck.
 * - `retryWrites` off is 17 to 32 % faster, because MongoDB writes another document for each retryable write.
 * - `updateOne` instead of `findOneAndUpdate` is 5 to 8 % faster; nothing needs the document.
 * - Waiting only for the second write's majority was 9 to 16 % faster, but would sell a unit twice if the primary
 * changed between the writes. So it is not done.
 *
 * Risks: a unit is lost if the process dies between the writes or if a write's outcome is unknown. A repeated key takes
 * a unit for a moment, so another buyer may get `sold_out`. Without failures nothing is lost. `DATABASE_URL` names a
 * replica set.
 */
import { type Collection, MongoClient, MongoServerError } from 'mongodb';
import { type Audit, type BaselineOrder, confirmed, orderRoute, type Purchase } from './order-route.ts';
import { type Offer, runBaseline } from './program.ts';

interface PackageDocument {
  readonly _id: number;
  readonly quota: number;
  readonly remaining: number;
}

type OrderDocument = Omit<BaselineOrder, 'id'> & { readonly _id: string; readonly key?: string };

interface Collections {
  readonly packages: Collection<PackageDocument>;
  readonly orders: Collection<OrderDocument>;
}

/** 10 and 20 connections were 8 to 27 % slower than 100; 50, 100 and 200 were equally fast. */
const defaultPoolSize = 50;
const duplicateKey = 11_000;

await runBaseline(async (offers) => {
  const { DATABASE_URL = 'mongodb://127.0.0.1:27017/?replicaSet=rs0', ATOMIC_POOL } = process.env;
  const poolSize = Number(ATOMIC_POOL ?? defaultPoolSize);
  const client = new MongoClient(DATABASE_URL, {
    w: 'majority',
    journal: true,
    retryWrites: false,
    maxPoolSize: poolSize,
    minPoolSize: poolSize,
  });
  const collections = await newSale(client, offers);
  const ids = new Set(offers.map(({ id }) => id));
  return {
    listener: orderRoute(
      (purchase) => (ids.has(purchase.packageId) ? sell(collections, purchase) : 'unknown_package'),
      () => audit(collections),
    ),
    [Symbol.asyncDispose]: () => client.close(),
  };
});

/** Drops and creates the database of the baseline. */
async function newSale(client: MongoClient, offers: readonly Offer[]): Promise<Collections> {
  const db = client.db('bench-atomic');
  await db.dropDatabase();
  const packages = db.collection<PackageDocument>('packages');
  const orders = db.collection<OrderDocument>('orders');
  const partialFilterExpression = { key: { $exists: true } };
  await orders.createIndex({ packageId: 1, key: 1 }, { unique: true, partialFilterExpression });
  await packages.insertMany(offers.map(({ id, quota }) => ({ _id: id, quota, remaining: quota })));
  return { packages, orders };
}

async function sell(collections: Collections, purchase: Purchase): Promise<object | 'sold_out' | 'invalid'> {
  const { packages } = collections;
  const { packageId, key } = purchase;
  const taken = await packages.updateOne(
    { _id: packageId, remaining: { $gt: 0 } },
    { $inc: { remaining: -1 } },
  );
  if (taken.modifiedCount === 0) return (await boughtBefore(collections, purchase)) ?? 'sold_out';
  const { id, ...order } = confirmed(purchase);
  try {
    await collections.orders.insertOne({ _id: id, ...order, ...(key === undefined ? {} : { key }) });
  } catch (error) {
    // After any other error the order may be stored: losing a unit is better than selling it twice.
    if (!(error instanceof MongoServerError && error.code === duplicateKey)) throw error;
    await packages.updateOne({ _id: packageId }, { $inc: { remaining: 1 } });
    return (await boughtBefore(collections, purchase)) ?? 'invalid';
  }
  return { id, ...order };
}

/** The order that was stored under this key before. */
async function boughtBefore(
  { orders }: Collections,
  { packageId, email, key }: Purchase,
): Promise<object | 'invalid' | undefined> {
  if (key === undefined) return undefined;
  const found = await orders.findOne({ packageId, key });
  if (found === null) return undefined;
  if (found.email !== email) return 'invalid';
  const { _id: id, key: _, ...order } = found;
  return { id, ...order };
}

async function audit({ packages, orders }: Collections): Promise<Audit> {
  const all = await packages.find().toArray();
  const sold = await orders
    .aggregate<{ _id: number; orders: number }>([{ $group: { _id: '$packageId', orders: { $sum: 1 } } }])
    .toArray();
  const soldOf = new Map(sold.map(({ _id, orders: count }) => [_id, count]));
  const wrong = all.filter(({ _id, quota, remaining }) => {
    return remaining < 0 || remaining + (soldOf.get(_id) ?? 0) !== quota;
  });
  const total = sold.reduce((sum, { orders: count }) => sum + count, 0);
  if (wrong.length === 0) return { verdict: 'clean', detail: `remaining + ${total} orders = quota` };
  const figures = wrong.slice(0, 5).map(({ _id, quota, remaining }) => {
    return `package ${_id}: ${remaining} remaining + ${soldOf.get(_id) ?? 0} orders ≠ quota ${quota}`;
  });
  return { verdict: 'void', detail: figures.join('; ') };
}
