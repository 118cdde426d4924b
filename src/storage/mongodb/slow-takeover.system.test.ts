import { expect, test } from 'vitest';
import { sampleChange, sampleInventory, sampleOrder, samplePackage } from '../../../test/contract/samples.ts';
import { mongodOfFile } from '../../../test/support/servers/mongod-of-file.ts';
import { StoreUnavailableError } from '../store.ts';
import { openMongoStore } from './mongo-store.ts';

/* A query ends when its own time limit or that of its connection is over. */

const timeoutMs = 2_000;

const mongo = mongodOfFile({ parameters: ['--setParameter', 'enableTestCommands=1'] });

/** Makes queries of orders hang, like queries that take long: they end when they are interrupted. */
async function hangQueries(mode: 'alwaysOn' | 'off'): Promise<void> {
  await mongo.raw.db('admin').command({
    configureFailPoint: 'waitInFindBeforeMakingBatch',
    ...{ mode, data: { nss: 'ticket-booking.orders', shouldCheckForInterrupt: true } },
  });
}

/** The number of queries of orders that the server is running. */
async function running(): Promise<number> {
  const pipeline = [{ $currentOp: {} }, { $match: { ns: 'ticket-booking.orders', active: true } }];
  return (await mongo.raw.db('admin').aggregate(pipeline).toArray()).length;
}

test('Q12 takeovers that take too long leave no query behind, and a later one succeeds', async () => {
  const store = await openMongoStore({ url: mongo.server.url, timeoutMs });
  await store.addPackages([samplePackage()]);
  const { fence } = (await store.takeOwnership(1, 'former'))!;
  const inventory = sampleInventory({ waiting: 1, nextNumber: 2 });
  await store.commit(1, fence, sampleChange({ inventory, inserted: [sampleOrder(1)] }));
  await hangQueries('alwaysOn');
  for (let attempt = 0; attempt < 2; attempt++) {
    const taken = store.takeOwnership(1, 'next').catch((error: unknown) => error);
    await expect.poll(running, { timeout: timeoutMs }).toBeGreaterThan(0);
    expect(await taken).toBeInstanceOf(StoreUnavailableError);
  }
  // The driver may have repeated a query.
  await expect.poll(running, { timeout: 5 * timeoutMs }).toBe(0);
  await hangQueries('off');
  expect((await store.takeOwnership(1, 'next'))?.unfinished).toHaveLength(1);
  await store.close();
});
