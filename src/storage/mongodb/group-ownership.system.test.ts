import { beforeEach, expect, test, vi } from 'vitest';
import { sampleChange, sampleInventory, sampleOrder, samplePackage } from '../../../test/contract/samples.ts';
import { mongodOfFile } from '../../../test/support/servers/mongod-of-file.ts';
import { mongodProxy } from '../../../test/support/servers/mongod-proxy.ts';
import { type MongoStore, openMongoStore } from './mongo-store.ts';

const packageIds = Array.from({ length: 50 }, (_, index) => index + 1);

const mongo = mongodOfFile();
let store: MongoStore;

beforeEach(async () => {
  await mongo.raw.db('ticket-booking').dropDatabase();
  store = await openMongoStore({ url: mongo.server.url });
  await store.addPackages(packageIds.map((id) => samplePackage({ id })));
  return () => store.close();
});

const orderOf = (packageId: number) =>
  sampleOrder(1, { id: `ORDER-${packageId}`, packageId, status: 'queued' });

/** Takes the packages over, one after the other, and puts an order into the queue of each. */
async function putInQueue(on: MongoStore, ids: readonly number[]): Promise<void> {
  for (const packageId of ids) {
    const { fence } = (await on.takeOwnership(packageId, 'former'))!;
    const inventory = sampleInventory({ waiting: 1, nextNumber: 2 });
    await on.commit(packageId, fence, sampleChange({ inventory, inserted: [orderOf(packageId)] }));
  }
}

/** How many commands of these names the server has executed. */
async function executed(...names: string[]): Promise<number> {
  const { metrics } = await mongo.raw.db('admin').command({ serverStatus: 1 });
  return names.reduce((sum, name) => sum + Number(metrics.commands[name].total), 0);
}

const takeAll = () => Promise.all(packageIds.map((id) => store.takeOwnership(id, 'next')));

test('Q6 Q9 packages that are taken over at once share their round trips', async () => {
  await putInQueue(store, packageIds);
  const names = ['find', 'update', 'findAndModify'];
  // Packages whose group a busy server holds up for half a second are taken over alone: then they are taken over again.
  const taken = await vi.waitFor(async () => {
    for (const id of packageIds) await store.takeOwnership(id, 'former');
    const before = await executed(...names);
    const all = await takeAll();
    expect((await executed(...names)) - before).toBeLessThan(packageIds.length / 2);
    return all;
  }, 30_000);
  for (const [index, ownership] of taken.entries()) {
    expect(ownership?.former).toBe('former');
    expect(ownership?.fence.epoch).toBeGreaterThan(2);
    expect(ownership?.unfinished).toStrictEqual([orderOf(index + 1)]);
  }
});

test('Q6 Q9 an open transaction that locks some of them is ended, and the others hardly wait', async () => {
  await using proxy = await mongodProxy(mongo.server.ports[0] as number);
  const cutOff = await openMongoStore({
    url: `mongodb://127.0.0.1:${proxy.port}/?directConnection=true`,
    timeoutMs: 3_000,
  });
  const locked = [7, 8];
  await putInQueue(cutOff, locked);
  const fences = await Promise.all(
    locked.map(async (id) => (await cutOff.takeOwnership(id, 'cut off'))!.fence),
  );
  // The transaction stays open on the server, which would lock both packages for a minute.
  proxy.decide((name) => (name === 'insert' || name === 'abortTransaction' ? 'cut' : 'pass'));
  const inserted = (packageId: number) => [
    sampleOrder(2, { id: `LOST-${packageId}`, packageId, status: 'queued' }),
  ];
  const commits = locked.map((id, index) =>
    cutOff.commit(id, fences[index]!, sampleChange({ inserted: inserted(id) })),
  );
  for (const { status } of await Promise.allSettled(commits)) expect(status).toBe('rejected');
  const taken = await takeAll();
  for (const [index, ownership] of taken.entries()) {
    const id = index + 1;
    expect(ownership?.unfinished).toStrictEqual(locked.includes(id) ? [orderOf(id)] : []);
    await store.commit(id, ownership!.fence, sampleChange());
  }
  await cutOff.close();
});
