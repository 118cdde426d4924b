import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { defaultRules } from '../../../test/support/decide-fixture.ts';
import { ScriptedSuppliers } from '../../../test/support/scripted-suppliers.ts';
import { makeDatabase, onSale, type TestDatabase } from '../../../test/support/server.ts';
import { systemClock } from '../../lib/clock.ts';
import { silentLog } from '../../observability/log.ts';
import { localLiveBus } from '../../realtime/live-bus.ts';
import { openSqliteStore, type SqliteStore } from '../../storage/sqlite/sqlite-store.ts';
import { LocalActors } from './actor-engine.ts';

const packageId = 1;

let database: TestDatabase;
let store: SqliteStore;
let actors: LocalActors;
let aheadMs: number;

beforeEach(async () => {
  aheadMs = 0;
  database = await makeDatabase([onSale({ id: packageId, quota: 5 })]);
  store = openSqliteStore({ file: database.url.replace('sqlite:', '') });
  actors = new LocalActors({
    store,
    suppliers: new ScriptedSuppliers(),
    liveBus: localLiveBus(),
    clock: { ...systemClock, monotonic: () => systemClock.monotonic() + aheadMs },
    log: silentLog,
    instance: 'test',
    rules: defaultRules,
  });
});

afterEach(async () => {
  await actors.drain();
  await store.close();
  await database.delete();
});

let bought = 0;
const buy = () => {
  const orderId = `order-${++bought}`;
  return actors.send(
    packageId,
    { kind: 'purchase', orderId, email: 'a@example.com' },
    systemClock.now() + 60_000,
  );
};

test('a purchase does not activate a package again here just after its release', async () => {
  expect(await buy()).toMatchObject({ kind: 'accepted' });
  const released = actors.release(packageId);
  expect(await buy()).toEqual({ kind: 'notOwner' });
  await released;
  expect(await buy()).toEqual({ kind: 'notOwner' });
  expect(actors.activeIds()).toEqual([]);
  aheadMs = 5_000;
  expect(await buy()).toMatchObject({ kind: 'accepted' });
});

test('a released package is activated at once when another instance asks for it', async () => {
  await buy();
  await actors.release(packageId);
  expect(await actors.wake(packageId)).toBe('active');
  await vi.waitFor(() => expect(actors.isActive(packageId)).toBe(true));
  expect(await buy()).toMatchObject({ kind: 'accepted' });
});
