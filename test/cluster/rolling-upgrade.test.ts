import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MongoClient } from 'mongodb';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { unfinishedStatuses } from '../../src/domain/order.ts';
import type { PackageDocument } from '../../src/storage/mongodb/documents.ts';
import { type Buyers, expectCleanAudit, isAccepted, startBuyers, waitUntil } from '../support/buyers.ts';
import { type Cluster, type ClusterInstance, startCluster } from '../support/cluster.ts';
import { onSale } from '../support/server.ts';
import { addWaitingPackages } from '../support/waiting-packages.ts';

const leaseTtlMs = 2_000;
/** Promise Q6: within the time to live of the lease and this. */
const graceMs = 5_000;
const root = fileURLToPath(new URL('../../', import.meta.url));

/** Packages with an order that waits all the time, and packages that are sold. */
const waiting = Array.from({ length: 40 }, (_, index) => index + 1);
const sold = Array.from({ length: 10 }, (_, index) => index + 101);

let newer: string;
let cluster: Cluster;
let mongo: MongoClient;
let buyers: Buyers;

beforeEach(async () => {
  newer = await copyAsNewerRelease();
  cluster = await startCluster({
    instances: 3,
    packages: sold.map((id) => onSale({ id, quota: 100_000 })),
    settings: { LEASE_TTL_MS: String(leaseTtlMs), FLIGHT_FAILURE_RATE: '0', LOG_LEVEL: 'info' },
  });
  mongo = new MongoClient(cluster.mongo.url);
  await addWaitingPackages(cluster.store, waiting, 'nobody');
  await waitUntil('an owner of each package', 10_000, async () => (await unowned()).length === 0);
  buyers = startBuyers({
    origins: () => cluster.instances.filter(({ isRunning }) => isRunning).map(({ origin }) => origin),
    packageOf: (nth) => sold[nth % sold.length] as number,
    concurrency: 4,
    pauseMs: 50,
  });
});
afterEach(async () => {
  await buyers?.stop();
  await mongo.close();
  await cluster.end();
  await rm(newer, { recursive: true, force: true });
});

/** A copy of this program that writes documents of the next version. */
async function copyAsNewerRelease(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ticket-booking-newer-'));
  for (const each of ['src', 'public', 'package.json']) {
    await cp(join(root, each), join(folder, each), { recursive: true });
  }
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  const file = join(folder, 'src/storage/mongodb/documents.ts');
  const text = await readFile(file, 'utf8');
  const raised = text
    .replace('documentVersion = 1;', 'documentVersion = 2;')
    .replace('packageVersion = 2;', 'packageVersion = 3;');
  expect(raised).toContain('documentVersion = 2;');
  expect(raised).toContain('packageVersion = 3;');
  await writeFile(file, raised);
  return folder;
}

function packages() {
  return mongo.db('ticket-booking').collection<PackageDocument>('packages');
}

/** The packages with an order that waits, and no running owner. */
async function unowned(): Promise<PackageDocument[]> {
  const running = cluster.instances.filter(({ isRunning }) => isRunning).map(({ id }) => id);
  return packages()
    .find({ _id: { $in: waiting }, 'owner.instance': { $nin: running } })
    .toArray();
}

async function upgrade(instance: ClusterInstance): Promise<void> {
  await instance.terminate();
  await instance.restart(newer);
  await waitUntil('its readiness', 20_000, async () => (await fetch(`${instance.origin}/readyz`)).ok);
}

/** The status of each package at an instance. */
async function shownBy({ origin }: ClusterInstance, ids: readonly number[]): Promise<Set<number>> {
  return new Set(
    await Promise.all(ids.map(async (id) => (await fetch(`${origin}/api/packages/${id}`)).status)),
  );
}

test('Q6 Q12 a rolling upgrade under load: each package has an owner in time, and both releases serve what they can', async () => {
  const [first, second, third] = cluster.instances as [ClusterInstance, ClusterInstance, ClusterInstance];
  await upgrade(first);
  await upgrade(second);
  // Packages move to the new instances, which write them in the next version.
  await waitUntil('packages of the newer release', 30_000, async () => {
    const owned = await packages().countDocuments({ 'owner.instance': first.id, v: 3 });
    return owned > 0 && (await packages().countDocuments({ 'owner.instance': second.id, v: 3 })) > 0;
  });
  await first.kill();
  const tookMs = await waitUntil(
    'an owner of each package',
    60_000,
    async () => (await unowned()).length === 0,
  );
  console.log(`after the kill of an upgraded instance each package had an owner within ${tookMs} ms`);
  expect(tookMs).toBeLessThan(leaseTtlMs + graceMs);
  const byRelease = await packages().find().toArray();
  expect(byRelease.filter(({ v, owner }) => v === 3 && owner?.instance === third.id)).toEqual([]);
  expect(await shownBy(second, [...waiting, ...sold])).toEqual(new Set([200]));
  const older = byRelease.filter(({ v }) => v < 3).map(({ _id }) => _id);
  expect(older.length).toBeGreaterThan(0);
  expect(await shownBy(third, older)).toEqual(new Set([200]));
  const before = buyers.history.length;
  await waitUntil('sales of every package', 20_000, async () => {
    const bought = buyers.history.slice(before).filter(isAccepted);
    return new Set(bought.map(({ packageId }) => packageId)).size === sold.length;
  });

  await first.restart(newer);
  await upgrade(third);
  await waitUntil('an owner of each package', 20_000, async () => (await unowned()).length === 0);
  const history = await buyers.stop();
  expect(history.filter(isAccepted).length).toBeGreaterThan(100);
  expect(history.filter(({ answer }) => (answer?.status ?? 503) === 500)).toEqual([]);
  await waitUntil('every order to settle', 20_000, async () => {
    const unfinished = { packageId: { $in: sold }, status: { $in: [...unfinishedStatuses] } };
    return (await mongo.db('ticket-booking').collection('orders').countDocuments(unfinished)) === 0;
  });
  for (const instance of cluster.instances) await instance.terminate();
  // The audit of this release reads what the newer one wrote in the same format.
  for (const name of ['packages', 'orders']) {
    await mongo
      .db('ticket-booking')
      .collection(name)
      .updateMany({}, { $set: { v: 1 } });
  }
  await mongo
    .db('ticket-booking')
    .collection('orders')
    .updateMany(
      { packageId: { $in: waiting } },
      {
        $set: { status: 'withdrawn' },
        $unset: { unfinished: true, live: true },
      },
    );
  await packages().updateMany({ _id: { $in: waiting } }, { $set: { 'figures.waiting': 0 } });
  await expectCleanAudit(cluster);
}, 300_000);
