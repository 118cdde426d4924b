import { afterAll, beforeAll, expect, test } from 'vitest';
import { sampleInventory, sampleOrder, samplePackage } from '../../test/contract/samples.ts';
import { type Mongod, startMongod } from '../../test/support/servers/mongod.ts';
import { systemClock } from '../lib/clock.ts';
import { type MongoStore, openMongoStore } from '../storage/mongodb/mongo-store.ts';
import { SnapshotExpiredError } from '../storage/store.ts';
import { audit } from './audit.ts';

/* An audit that takes longer than MongoDB keeps a snapshot: 300 s by default, one second here. */

let mongod: Mongod;
let store: MongoStore;
beforeAll(async () => {
  mongod = await startMongod({ parameters: ['--setParameter', 'minSnapshotHistoryWindowInSeconds=1'] });
  store = await openMongoStore({ url: mongod.url });
  await store.addPackages([samplePackage({ quota: 30 }), samplePackage({ id: 2 })]);
  const { fence } = (await store.takeOwnership(1, 'one'))!;
  const inserted = Array.from({ length: 30 }, (_, index) => sampleOrder(index + 1));
  const inventory = sampleInventory({ remaining: 30, waiting: 30, nextNumber: 31 });
  await store.commit(1, fence, { inventory, inserted, updated: [] });
});
afterAll(async () => {
  await store?.close();
  await mongod?.stop();
});

/** Writes until the server no longer keeps the present state. The server forgets old states only when it gets writes. */
async function untilSnapshotsExpire(): Promise<void> {
  const snapshot = await store.snapshot();
  const read = () => snapshot?.package(1).catch((error: unknown) => error);
  do await store.probe();
  while (!((await read()) instanceof SnapshotExpiredError));
  await snapshot?.close();
}

test('a package is audited without a snapshot if its snapshot becomes too old', async () => {
  const pauseMs = 1;
  let pauses = 0;
  const clock = {
    ...systemClock,
    sleep: async (ms: number, signal?: AbortSignal) => {
      // The time limits of the pages use the same clock.
      if (ms !== pauseMs) return systemClock.sleep(ms, signal);
      pauses += 1;
      // Before the second page of the first package.
      if (pauses === 2) await untilSnapshotsExpire();
    },
  };
  const report = await audit(store, { pageSize: 10, pauseMs, clock });
  expect(report).toMatchObject({ ok: true, packages: 2, orders: 30, inMotion: [], findings: [] });
  // Two pages in the snapshot, then all four of the package, and one of the other package.
  expect(pauses).toBe(2 + 4 + 1);
}, 120_000);
