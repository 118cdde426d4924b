import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sampleChange, sampleInventory, sampleOrder } from '../../test/contract/samples.ts';
import { buy, lookUp } from '../../test/support/api-client.ts';
import { runAudit } from '../../test/support/audit.ts';
import { environmentOf } from '../../test/support/node-process.ts';
import { onSale } from '../../test/support/server.ts';
import { spawnServer } from '../../test/support/server-process.ts';
import { startMongod } from '../../test/support/servers/mongod.ts';
import { openStore } from '../compose/store.ts';
import { readConfig } from '../config/config.ts';
import type { Order } from '../domain/order.ts';
import { lockFile } from '../lib/file-lock.ts';

const packages = [1, 2, 3];
const ordersPerPackage = 1_000;
const confirmedPerPackage = 400;
const quota = 5_000;
const old = Date.now() - 3 * 86_400_000;

let folder: string;
let out: string;
let settings: Record<string, string>;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'archive-command-'));
  out = join(folder, 'orders.ndjson');
  settings = { DATABASE_URL: `sqlite:${join(folder, 'booking.db')}`, RETENTION_DAYS: '1' };
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function start(args: readonly string[] = ['--out', out], more: Record<string, string> = {}) {
  const path = fileURLToPath(import.meta.resolve('./archive.ts'));
  const child = spawn(process.execPath, [path, ...args], { env: environmentOf({ ...settings, ...more }) });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = once(child, 'close').then(() => ({ code: child.exitCode, out: stdout, err: stderr }));
  return { child, ended };
}

/** An order that ended three days ago. */
function oldOrder(packageId: number, number: number): Order {
  const isConfirmed = number <= confirmedPerPackage;
  const id = `OLD-${packageId}-${number}`;
  return sampleOrder(number, {
    ...{ id, packageId, email: `old${number}@example.com`, key: `old-key-${number}`, createdAt: old },
    ...(isConfirmed
      ? { status: 'confirmed', flight: { ticketNumber: `F-${id}` }, hotel: { reservationNumber: `H-${id}` } }
      : { status: 'failed', reason: 'flight_unavailable' }),
    timeline: [
      { at: old + number, event: 'claimed' },
      { at: old + number, event: isConfirmed ? 'confirmed' : 'failed' },
    ],
  });
}

/** Packages with old orders, their reservations, and old entries of the change log. */
async function fill(): Promise<void> {
  const store = await openStore(readConfig(settings).database);
  await store.addPackages(packages.map((id) => onSale({ id, quota })));
  for (const id of packages) {
    const inserted = Array.from({ length: ordersPerPackage }, (_, index) => oldOrder(id, index + 1));
    const { fence } = (await store.versionedPackage(id))!;
    const inventory = sampleInventory({
      remaining: quota - confirmedPerPackage,
      confirmed: confirmedPerPackage,
      nextNumber: ordersPerPackage + 1,
    });
    await store.commit(id, fence, sampleChange({ inventory, inserted }));
    const confirmed = inserted.slice(0, confirmedPerPackage);
    await Promise.all(
      confirmed.flatMap(({ id: key, flight, hotel }) => {
        const entry = { key, status: 'active', subject: 'x', packageId: id } as const;
        return [
          store.ledger.record('flights', { ...entry, number: flight?.ticketNumber ?? '' }, old),
          store.ledger.record('hotels', { ...entry, number: hotel?.reservationNumber ?? '' }, old),
        ];
      }),
    );
  }
  const entry = {
    key: 'public:old',
    number: 'F-public',
    status: 'active',
    subject: 'x',
    packageId: 1,
  } as const;
  await store.ledger.record('flights', entry, old);
  await store.appendOperatorEvent({
    ...{ id: 'old-event', at: old, by: { name: 'admin', via: 'token' }, instance: 'one' },
    ...{ action: 'package.pause', target: { packageId: 1 }, outcome: 'open' },
  });
  await store.setting('ended-session:old', () => String(old));
  await store.close();
}

async function oldOrdersLeft(): Promise<number> {
  const store = await openStore(readConfig(settings).database, { readOnly: true });
  const pages = await Promise.all(packages.map((id) => store.ordersPage(id, undefined, 99_999)));
  await store.close();
  return pages.flatMap(({ items }) => items).filter(({ id }) => id.startsWith('OLD-')).length;
}

/** Buys until it is stopped. Every purchase must be confirmed. */
function buyers(origin: string) {
  let isOver = false;
  let bought = 0;
  let slowestMs = 0;
  const one = async (packageId: number) => {
    while (!isOver) {
      const from = performance.now();
      expect(await buy(origin, packageId)).toMatchObject({ status: 201, order: { status: 'confirmed' } });
      slowestMs = Math.max(slowestMs, performance.now() - from);
      bought += 1;
    }
  };
  const ended = Promise.all(packages.map(one));
  // A failure is reported by `stop`.
  ended.catch(() => {});
  return {
    async stop() {
      isOver = true;
      await ended;
      return { bought, slowestMs };
    },
  };
}

async function waitFor(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await sleep(2);
}

const size = () => statSync(out, { throwIfNoEntry: false })?.size ?? 0;

function archivedOrders(): Order[] {
  const lines = readFileSync(out, 'utf8').trimEnd().split('\n');
  return lines.flatMap((line) => (JSON.parse(line) as { order?: Order }).order ?? []);
}

/** Archives beside a server that sells, killed three times. */
async function archivesUnderFire(): Promise<void> {
  await fill();
  const server = await spawnServer({ ...settings, FLIGHT_FAILURE_RATE: '0' });
  const kept = await buy(server.origin, 1, { email: 'new@example.com', key: 'new-key' });
  const running = buyers(server.origin);
  try {
    let killed = 0;
    for (const part of [0.1, 0.3, 0.6]) {
      const run = start();
      // More than 350 bytes for each order with its reservations.
      await waitFor(
        () => size() > part * packages.length * ordersPerPackage * 350 || run.child.exitCode !== null,
      );
      run.child.kill('SIGKILL');
      if ((await run.ended).code === null) killed += 1;
    }
    // On a busy machine the last one may end before it is killed.
    expect(killed).toBeGreaterThanOrEqual(2);
    const last = start();
    const during = await runAudit(settings);
    expect(await last.ended).toMatchObject({ code: 0, err: '' });
    expect(during.report.findings).toEqual([]);
    const { bought, slowestMs } = await running.stop();
    console.info(`bought ${bought} beside the archive, the slowest within ${Math.round(slowestMs)} ms`);

    const expected = packages.flatMap((id) =>
      Array.from({ length: ordersPerPackage }, (_, index) => oldOrder(id, index + 1)),
    );
    const byId = (one: Order, other: Order) => (one.id < other.id ? -1 : 1);
    expect(archivedOrders().sort(byId)).toEqual(expected.sort(byId));
    expect(await oldOrdersLeft()).toBe(0);
    const text = readFileSync(out, 'utf8');
    for (const what of ['public:old', 'old-event', '"session":{"id":"old"']) expect(text).toContain(what);
    expect(text.match(/"reservation":/g)).toHaveLength(packages.length * confirmedPerPackage * 2 + 1);

    // A key that is kept gives its order. An archived one buys anew.
    const again = await buy(server.origin, 1, { email: 'new@example.com', key: 'new-key' });
    expect(again.order?.id).toBe(kept.order?.id);
    const anew = await buy(server.origin, 1, { email: 'old1@example.com', key: 'old-key-1' });
    expect(anew).toMatchObject({ status: 201, order: { status: 'confirmed' } });
    expect(await lookUp(server.origin, 'OLD-1-1', 'old1@example.com')).toMatchObject({ status: 404 });
    const { report } = await runAudit(settings);
    expect(report).toMatchObject({ ok: true, findings: [], suppliersRead: true });
    expect(server.output()).not.toMatch(/"level":(40|50|60)/);
  } finally {
    await running.stop();
    await server.end('SIGTERM');
  }
  expect((await runAudit(settings)).report.findings).toEqual([]);
}

describe('npm run archive', { timeout: 240_000 }, () => {
  test(
    'Q1 Q5 Q7 Q8 archives during a sale on SQLite, killed at any moment, without losing an order',
    archivesUnderFire,
  );

  test('Q1 Q5 Q7 Q8 archives during a sale on MongoDB, killed at any moment, without losing an order', async () => {
    await using mongod = await startMongod();
    settings = { ...settings, DATABASE_URL: mongod.url };
    await archivesUnderFire();
  });

  test('says what is wrong, and changes nothing', async () => {
    await fill();
    expect(await start([]).ended).toMatchObject({ code: 2, err: expect.stringContaining('--out') });
    const unset = await start(undefined, { RETENTION_DAYS: '' }).ended;
    expect(unset).toMatchObject({ code: 2, err: 'RETENTION_DAYS is not set: everything is kept\n' });
    const nowhere = await start(['--out', join(folder, 'none', 'x')]).ended;
    expect(nowhere).toMatchObject({ code: 2, err: expect.stringContaining('there is no folder') });
    expect(existsSync(out)).toBe(false);
    writeFileSync(out, 'My notes.\n');
    const foreign = await start().ended;
    expect(foreign).toMatchObject({ code: 2, err: `${out} is not an archive: choose another file\n` });
    expect(readFileSync(out, 'utf8')).toBe('My notes.\n');
    const release = lockFile(out, 'in use');
    const second = await start().ended;
    expect(second).toMatchObject({ code: 2, err: expect.stringContaining('another archive') });
    release();
    expect(await oldOrdersLeft()).toBe(packages.length * ordersPerPackage);
  });
});
