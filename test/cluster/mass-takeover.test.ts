import { setTimeout as sleep } from 'node:timers/promises';
import { MongoClient } from 'mongodb';
import { expect, test } from 'vitest';
import { ActorEngine } from '../../src/engine/actor/actor-engine.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { localLiveBus } from '../../src/realtime/live-bus.ts';
import { openMongoStore } from '../../src/storage/mongodb/mongo-store.ts';
import { waitUntil } from '../support/buyers.ts';
import { defaultRules } from '../support/decide-fixture.ts';
import { recordingLog } from '../support/recording-log.ts';
import { ScriptedSuppliers } from '../support/scripted-suppliers.ts';
import { startMongod } from '../support/servers/mongod.ts';
import { addWaitingPackages } from '../support/waiting-packages.ts';

const ids = Array.from({ length: 1_500 }, (_, index) => index + 1);

test('Q12 reads do not wait for a mass of fenced packages that are taken over again at once', async () => {
  await using mongod = await startMongod();
  const store = await openMongoStore({ url: mongod.url });
  const mongo = new MongoClient(mongod.url);
  await addWaitingPackages(store, ids, 'nobody');
  const log = recordingLog();
  const engine = new ActorEngine({
    ...{ store, log, clock: systemClock, random: systemRandom(), liveBus: localLiveBus() },
    ...{ suppliers: new ScriptedSuppliers(), instance: 'one', rules: defaultRules, snapshotMaxAgeMs: 250 },
  });
  await engine.start();
  await waitUntil(
    'all packages to be active',
    60_000,
    async () => engine.load().packages.length === ids.length,
  );
  const orders = (await Promise.all(ids.map((id) => store.ordersBelow(id, undefined, 1)))).flat();
  const packages = mongo.db('ticket-booking').collection('packages');
  await packages.updateMany({}, { $inc: { epoch: 1 } });
  let isOver = false;
  const latencies: number[] = [];
  const probing = (async () => {
    while (!isOver) {
      const startedAt = performance.now();
      await store.package(1);
      latencies.push(performance.now() - startedAt);
      await sleep(20);
    }
  })();
  const startedAt = performance.now();
  const answers = await Promise.all(orders.map((order) => engine.cancel(order)));
  const tookMs = performance.now() - startedAt;
  isOver = true;
  await probing;
  const slowestMs = Math.max(...latencies);
  const failed = log.lines.filter((line) => line.includes('an activation failed')).length;
  console.log(
    `${ids.length} takeovers took ${Math.round(tookMs)} ms, reads up to ${Math.round(slowestMs)} ms`,
  );
  expect(answers).toHaveLength(ids.length);
  expect(failed).toBe(0);
  // The store gives up after 5 s. Without a limit, reads wait about as long.
  expect(slowestMs).toBeLessThan(4_000);
  await engine.drain();
  engine.close();
  await mongo.close();
  await store.close();
}, 200_000);
