import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { beforeAll, expect, test } from 'vitest';
import { sampleInventory, sampleOrder, samplePackage } from '../../../test/contract/samples.ts';
import { mongodOfFile } from '../../../test/support/servers/mongod-of-file.ts';
import { orderIdBytes, orderIdFrom } from '../../domain/order.ts';
import { PackageState } from '../../domain/package-state.ts';
import { systemRandom } from '../../lib/random.ts';
import { orderDocument } from './documents.ts';
import { openMongoStore } from './mongo-store.ts';

const waiting = 300_000;
/** The time limit of one page. The whole queue takes longer. */
const timeoutMs = 2_000;
const batch = 5_000;

const mongo = mongodOfFile();
beforeAll(async () => {
  const orders = mongo.raw.db('ticket-booking').collection<{ _id: string }>('orders');
  const random = systemRandom();
  const store = await openMongoStore({ url: mongo.server.url });
  await store.addPackages([samplePackage()]);
  await store.close();
  for (let first = 1; first <= waiting; first += batch) {
    const documents = Array.from({ length: batch }, (_, index) =>
      orderDocument(
        sampleOrder(first + index, {
          id: orderIdFrom(Date.now(), random.bytes(orderIdBytes)),
          key: crypto.randomUUID(),
        }),
        sampleInventory({ waiting }),
      ),
    );
    await orders.insertMany(documents, { ordered: false });
  }
}, 300_000);

function heapUsed(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let times = 0; times < 4; times++) collect();
  return process.memoryUsage().heapUsed;
}

test('Q12 300,000 waiting orders are taken over, and take at most 1.5 kB of memory each', async () => {
  const store = await openMongoStore({ url: mongo.server.url, timeoutMs });
  const before = heapUsed();
  const from = performance.now();
  const state = new PackageState((await store.takeOwnership(1, 'one'))!, true);
  const tookMs = performance.now() - from;
  const bytes = (heapUsed() - before) / waiting;
  console.log(`${waiting} orders in ${Math.round(tookMs)} ms, ${Math.round(bytes)} bytes each`);
  expect(state.queue.size).toBe(waiting);
  expect(bytes).toBeLessThan(1_500);
  const pipeline = [{ $currentOp: {} }, { $match: { ns: 'ticket-booking.orders', active: true } }];
  expect(await mongo.raw.db('admin').aggregate(pipeline).toArray()).toEqual([]);
  await store.close();
}, 300_000);
