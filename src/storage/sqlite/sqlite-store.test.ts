import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { archiveStoreContract } from '../../../test/contract/archive-store.ts';
import { ledgerContract } from '../../../test/contract/ledger.ts';
import { outboxContract } from '../../../test/contract/outbox.ts';
import { paymentLedgerContract } from '../../../test/contract/payment-ledger.ts';
import { sampleChange, sampleOrder, samplePackage } from '../../../test/contract/samples.ts';
import { storeContract } from '../../../test/contract/store.ts';
import { strategiesContract } from '../../../test/contract/strategies.ts';
import { allPackages } from '../../../test/support/all-packages.ts';
import { recordingLog } from '../../../test/support/recording-log.ts';
import { confirmedStatuses, holdingStatuses, unfinishedStatuses } from '../../domain/order.ts';
import { SnapshotExpiredError, StoreUnavailableError } from '../store.ts';
import { openConnection } from './connection.ts';
import { openSqliteLedger } from './ledger.ts';
import { liveCondition, ordersPerSlice, unfinishedCondition } from './schema.ts';
import { openSqliteStore, SqliteStore, snapshotLogMax } from './sqlite-store.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sqlite-store-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const openInFile = async () => {
  const file = join(folder, 'contract.db');
  let store = openSqliteStore({ file });
  return {
    store,
    async reopen() {
      await store.close();
      store = openSqliteStore({ file });
      return store;
    },
    async spoil(id: number | string, how: number | 'damaged') {
      const db = new DatabaseSync(file);
      spoil(db, id, how);
      db.close();
      // The reads of this turn may share an older transaction.
      await nextTurn();
    },
    close: () => store.close(),
  };
};
storeContract('SQLite', openInFile);
archiveStoreContract('SQLite', openInFile);
outboxContract('SQLite', openInFile);

const openInMemory = async () => {
  const connection = openConnection({ file: ':memory:' });
  const store = new SqliteStore(connection);
  return {
    store,
    spoil: async (id: number | string, how: number | 'damaged') => spoil(connection.db, id, how),
    close: () => store.close(),
  };
};
storeContract('SQLite in memory', openInMemory);
archiveStoreContract('SQLite in memory', openInMemory);
strategiesContract('SQLite in memory', openInMemory);

/** A damaged document is no JSON, or has another shape. */
function spoil(db: DatabaseSync, id: number | string, how: number | 'damaged'): void {
  const table = typeof id === 'number' ? 'packages' : 'orders';
  if (how !== 'damaged') db.prepare(`UPDATE ${table} SET document_version = ? WHERE id = ?`).run(how, id);
  else
    db.prepare(`UPDATE ${table} SET document = ? WHERE id = ?`).run(typeof id === 'number' ? '{' : '{}', id);
}

ledgerContract('SQLite, on the store', async () => {
  const file = join(folder, 'shared.db');
  let store = openSqliteStore({ file });
  return {
    ledger: store.ledger,
    async reopen() {
      await store.close();
      store = openSqliteStore({ file });
      return store.ledger;
    },
    close: () => store.close(),
  };
});

ledgerContract('SQLite, on its own', async () => {
  const file = join(folder, 'ledger.db');
  let ledger = openSqliteLedger({ file });
  return {
    ledger,
    async reopen() {
      await ledger.close();
      ledger = openSqliteLedger({ file });
      return ledger;
    },
    close: () => ledger.close(),
  };
});

paymentLedgerContract('SQLite', async () => {
  const file = join(folder, 'payments.db');
  let ledger = openSqliteLedger({ file });
  return {
    ledger: ledger.payments,
    async reopen() {
      await ledger.close();
      ledger = openSqliteLedger({ file });
      return ledger.payments;
    },
    close: () => ledger.close(),
  };
});

test("the log of a ledger on its own is copied into the ledger's file while the ledger is open", async () => {
  const file = join(folder, 'ledger.db');
  const ledger = openSqliteLedger({ file });
  const entry = (index: number) => ({
    ...{ key: `key-${index}`, number: `F${index}`, status: 'active' as const, packageId: 1 },
    subject: 'x'.repeat(2_000),
  });
  const before = statSync(file).size;
  await Promise.all(Array.from({ length: 2_000 }, (_, index) => ledger.record('flights', entry(index))));
  await vi.waitFor(() => expect(statSync(file).size - before).toBeGreaterThan(4_000_000), {
    timeout: 20_000,
  });
  await ledger.close();
}, 30_000);

test('a ledger on its own logs that its thread for checkpoints has failed', async () => {
  const own = join(folder, 'own');
  mkdirSync(own);
  const log = recordingLog();
  const ledger = openSqliteLedger({ file: join(own, 'ledger.db'), log });
  // The thread finds no file.
  rmSync(own, { recursive: true });
  const entry = { number: '', status: 'refused' as const, subject: 'Flight-1', packageId: 1 };
  await Promise.all(
    Array.from({ length: 2_000 }, (_, index) => ledger.record('flights', { ...entry, key: `key-${index}` })),
  );
  await vi.waitFor(() => expect(log.lines).toEqual([expect.stringContaining('checkpoints has failed')]), {
    timeout: 10_000,
  });
  await ledger.close();
});

describe('an unusable file is refused with one line that names it:', () => {
  test('a folder', () => {
    expect(() => openSqliteStore({ file: folder })).toThrow(`${folder} is a folder`);
  });

  test('a file that is not a database: it stays unchanged, and its lock is released', () => {
    const file = join(folder, 'notes.txt');
    writeFileSync(file, 'These are my notes, and no database at all. '.repeat(100));
    for (let time = 0; time < 2; time++) {
      expect(() => openSqliteStore({ file })).toThrow(`${file} is not an SQLite database`);
    }
  });

  test('a file in a folder that cannot be created', () => {
    writeFileSync(join(folder, 'plain'), '');
    const file = join(folder, 'plain', 'booking.db');
    expect(() => openSqliteStore({ file })).toThrow(`${join(folder, 'plain')} is a file, not a folder`);
  });

  test('the database of another program', () => {
    const file = join(folder, 'other.db');
    const other = new DatabaseSync(file);
    other.exec('CREATE TABLE songs (title TEXT)');
    other.close();
    expect(() => openSqliteStore({ file })).toThrow(`${file} is the database of another program`);
  });

  test('the database of a newer release', async () => {
    const file = join(folder, 'newer.db');
    await openSqliteStore({ file }).close();
    run(file, 'PRAGMA user_version = 99');
    expect(() => openSqliteStore({ file })).toThrow(/newer release \(schema 99, this one knows up to 5\)/);
  });

  test('a missing or empty file, for a reader', () => {
    const file = join(folder, 'none.db');
    expect(() => openSqliteStore({ file, readOnly: true })).toThrow(`${file} does not exist`);
    writeFileSync(file, '');
    expect(() => openSqliteStore({ file, readOnly: true })).toThrow(`${file} is empty`);
  });
});

const withoutNotices = 'DROP TABLE notices; DROP TABLE dead_letters;';
const withoutArchive = `${withoutNotices} DROP TABLE archived_packages; DROP TABLE archived_orders;
  ALTER TABLE reservations DROP COLUMN at;`;

describe('a file of an older release', () => {
  const file = () => join(folder, 'before.db');

  beforeEach(async () => {
    const store = openSqliteStore({ file: file() });
    await store.addPackages([samplePackage()]);
    await store.close();
    run(file(), `${withoutArchive} DROP TABLE operator_events; PRAGMA user_version = 1`);
  });

  test('gets the new tables and keeps its content', async () => {
    const store = openSqliteStore({ file: file() });
    expect(await store.operatorEvents(undefined, 1)).toEqual({ items: [] });
    expect(await allPackages(store)).toHaveLength(1);
    await store.close();
    await openSqliteStore({ file: file() }).close();
  });

  test('can be read without a change', async () => {
    const store = openSqliteStore({ file: file(), readOnly: true });
    expect(await allPackages(store)).toHaveLength(1);
    expect(await store.archivedCounts(1)).toEqual({ orders: 0, confirmed: 0 });
    expect(await store.archivedIds(['A'])).toEqual([]);
    expect(await store.ledger.page('flights', undefined, 9)).toEqual({ items: [] });
    const snapshot = await store.snapshot();
    expect(await snapshot?.archivedCounts(1)).toEqual({ orders: 0, confirmed: 0 });
    await snapshot?.close();
    await store.close();
  });

  test('is not archived, because a server of that release may have it open', async () => {
    const words = `${file()} was written by an older release: start the server of this one first`;
    expect(() => openSqliteStore({ file: file(), beside: true })).toThrow(words);
  });

  test('of version 3 gets indexes with the payable orders', async () => {
    await openSqliteStore({ file: file() }).close();
    run(
      file(),
      `${withoutNotices}
       DROP INDEX orders_unfinished;
       CREATE INDEX orders_unfinished ON orders (package_id, number) WHERE status IN ('queued', 'held');
       CREATE INDEX orders_live_by_email ON orders (package_id, email) WHERE status IN ('queued', 'held');
       PRAGMA user_version = 3`,
    );
    await openSqliteStore({ file: file(), countsEmails: true }).close();
    const db = new DatabaseSync(file());
    const indexes = db.prepare(
      "SELECT name FROM sqlite_schema WHERE sql LIKE '%WHERE%payable%' ORDER BY name",
    );
    expect(indexes.all().map(({ name }) => name)).toEqual(['orders_live_by_email', 'orders_unfinished']);
    db.close();
  });

  test.each([1, 2, 3, 4])('of version %i gets what is missing', async (version) => {
    if (version > 1) {
      await openSqliteStore({ file: file() }).close();
      run(file(), `${version === 2 ? withoutArchive : withoutNotices} PRAGMA user_version = ${version}`);
    }
    const store = openSqliteStore({ file: file() });
    expect(await store.outbox.deadLetters(undefined, 1)).toEqual({ items: [] });
    expect(await store.archivedCounts(1)).toEqual({ orders: 0, confirmed: 0 });
    expect(await store.operatorEvents(undefined, 1)).toEqual({ items: [] });
    await store.close();
  });
});

test('an erased email is not in the file any more', async () => {
  const file = join(folder, 'erased.db');
  const store = openSqliteStore({ file, countsEmails: true });
  await store.addPackages([samplePackage()]);
  const email = 'a-long-address-to-look-for@example.com';
  const orders = Array.from({ length: 50 }, (_, index) =>
    sampleOrder(index + 1, { email, key: `${email}-${index}`, status: 'confirmed' }),
  );
  const { fence } = (await store.versionedPackage(1))!;
  await store.commit(1, fence, sampleChange({ inserted: orders }));
  const erased = orders.map((order, index) => ({ ...order, email: 'x@erased.invalid', key: `x-${index}` }));
  await store.commit(1, { ...fence, seq: fence.seq + 1 }, sampleChange({ erased }));
  await store.close();
  expect(readFileSync(file).includes(email)).toBe(false);
  expect(existsSync(`${file}-wal`)).toBe(false);
});

test('Q12 a takeover of a long queue lets other work run between its pages', async () => {
  const store = openSqliteStore({ file: join(folder, 'long.db') });
  await store.addPackages([samplePackage()]);
  const { fence } = (await store.versionedPackage(1))!;
  const inserted = Array.from({ length: 10_000 }, (_, index) => sampleOrder(index + 1));
  await store.commit(1, fence, sampleChange({ inserted }));
  let turns = 0;
  let isOver = false;
  const count = () => {
    turns += 1;
    if (!isOver) setImmediate(count);
  };
  count();
  const ownership = await store.takeOwnership(1, 'one');
  isOver = true;
  expect(ownership?.unfinished).toEqual(inserted);
  expect(turns).toBeGreaterThan(5);
  await store.close();
});

describe('the reads of a turn', () => {
  const opened = async (readOnly = false) => {
    const connection = openConnection({ file: join(folder, 'turn.db'), readOnly });
    const store = new SqliteStore(connection);
    if (!readOnly) await store.addPackages([samplePackage()]);
    return { store, db: connection.db };
  };

  test('share a transaction, which ends with the turn', async () => {
    const { store, db } = await opened();
    expect(db.isTransaction).toBe(false);
    await store.package(1);
    await store.ordersByKey(1, ['key-1']);
    expect(db.isTransaction).toBe(true);
    await nextTurn();
    expect(db.isTransaction).toBe(false);
    await store.close();
  });

  test('Q7 see each commit of this process, because its flush ends their transaction', async () => {
    const { store, db } = await opened();
    const { fence } = (await store.versionedPackage(1))!;
    await nextTurn();
    const committing = store.commit(1, fence, sampleChange({ inserted: [sampleOrder(1)] }));
    expect(await store.ordersByKey(1, ['key-1'])).toEqual([]);
    expect(db.isTransaction).toBe(true);
    await committing;
    expect(await store.ordersByKey(1, ['key-1'])).toEqual([sampleOrder(1)]);
    await store.close();
  });

  test('share none beside a server, which may commit within the turn', async () => {
    const { store } = await opened();
    const reader = await opened(true);
    expect(await reader.store.package(1)).toBeDefined();
    expect(reader.db.isTransaction).toBe(false);
    await reader.store.close();
    await store.close();
  });

  test('may still be open when the store is closed', async () => {
    const { store, db } = await opened();
    const closing = store.close();
    await store.package(1);
    await closing;
    await nextTurn();
    expect(db.isOpen).toBe(false);
  });
});

test('a snapshot ends when the log has become too long', async () => {
  const file = join(folder, 'snapshot.db');
  const store = openSqliteStore({ file });
  await store.addPackages([samplePackage()]);
  const snapshot = (await store.snapshot())!;
  expect((await snapshot.ordersPage(1, undefined, 10)).items).toEqual([]);
  // A hole at the end of the log, which SQLite does not read.
  truncateSync(`${file}-wal`, statSync(`${file}-wal`).size + snapshotLogMax + 1);
  await expect(snapshot.ordersPage(1, undefined, 10)).rejects.toBeInstanceOf(SnapshotExpiredError);
  await snapshot.close();
  await store.close();
});

test('a row of a newer release is refused', async () => {
  const file = join(folder, 'row.db');
  const store = openSqliteStore({ file });
  await store.addPackages([samplePackage()]);
  run(file, 'UPDATE packages SET document_version = 2');
  await expect(store.package(1)).rejects.toThrow('newer release');
  await store.close();
});

describe('one process:', () => {
  const file = () => join(folder, 'deep', 'booking.db');

  test('a second store on the same file is refused until the first is closed, also under another name', async () => {
    const store = openSqliteStore({ file: file() });
    symlinkSync(file(), join(folder, 'alias.db'));
    expect(() => openSqliteStore({ file: file() })).toThrow(/in use by another process/);
    expect(() => openSqliteStore({ file: join(folder, 'alias.db') })).toThrow(/in use by another process/);
    expect(openInAnotherProcess(file()).stderr).toMatch(/in use by another process/);
    await store.close();
    expect(openInAnotherProcess(file()).status).toBe(0);
    await openSqliteStore({ file: file() }).close();
  });

  test('the lock of a killed process is free at once, and its commits are stored', async () => {
    const killed = openInAnotherProcess(file(), "process.kill(process.pid, 'SIGKILL')");
    expect(killed.signal).toBe('SIGKILL');
    const store = openSqliteStore({ file: file() });
    expect(await allPackages(store)).toHaveLength(1);
    await store.close();
  });

  test('a reader needs no lock, sees committed data and cannot write', async () => {
    const store = openSqliteStore({ file: file() });
    await store.addPackages([samplePackage()]);
    const reader = openSqliteStore({ file: file(), readOnly: true });
    expect(await allPackages(reader)).toHaveLength(1);
    await store.addPackages([samplePackage({ id: 2 })]);
    expect(await allPackages(reader)).toHaveLength(2);
    await expect(reader.addPackages([samplePackage({ id: 3 })])).rejects.toBeInstanceOf(
      StoreUnavailableError,
    );
    await store.close();
    expect(await allPackages(reader)).toHaveLength(2);
    await reader.close();
    const alone = openSqliteStore({ file: file(), readOnly: true });
    expect(await allPackages(alone)).toHaveLength(2);
    await alone.close();
  });
});

describe('problems with the disk:', () => {
  test('a full disk makes the store unavailable until there is space; nothing is applied', async () => {
    const file = join(folder, 'full.db');
    const connection = openConnection({ file });
    const store = new SqliteStore(connection);
    await store.addPackages([samplePackage()]);
    const fence = (await store.takeOwnership(1, 'one'))!.fence;
    const inserted = Array.from({ length: 500 }, (_, each) => sampleOrder(each + 1));
    connection.db.exec('PRAGMA max_page_count = 30');
    const both = await Promise.allSettled([
      store.setting('beside', () => 'it'),
      store.commit(1, fence, sampleChange({ inserted })),
    ]);
    for (const outcome of both) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { name: 'StoreUnavailableError' } });
    }
    expect((await store.ordersPage(1, undefined, 10)).items).toEqual([]);
    connection.db.exec('PRAGMA max_page_count = 100000');
    await store.commit(1, fence, sampleChange({ inserted }));
    await store.close();
  });

  test('a lock of another connection makes the store unavailable until it ends', async () => {
    const file = join(folder, 'busy.db');
    const store = openSqliteStore({ file });
    const other = new DatabaseSync(file);
    other.exec('BEGIN IMMEDIATE');
    await expect(store.addPackages([samplePackage()])).rejects.toBeInstanceOf(StoreUnavailableError);
    other.exec('ROLLBACK');
    expect(await store.addPackages([samplePackage()])).toEqual([1]);
    other.close();
    await store.close();
  });
});

describe('no query reads more rows than it needs:', () => {
  test('the conditions of the partial indexes use the statuses of the domain', () => {
    const listed = (condition: string) => condition.match(/(?<=')\w+(?=')/g);
    expect(listed(unfinishedCondition)?.sort()).toEqual([...unfinishedStatuses].sort());
    const live = ['queued', ...holdingStatuses, ...confirmedStatuses];
    expect(listed(liveCondition)?.sort()).toEqual(live.sort());
  });

  test.each([
    [`SELECT document FROM orders WHERE package_id = 1 AND ${unfinishedCondition} ORDER BY number`],
    [`SELECT 1 FROM orders WHERE package_id = 1 AND ${unfinishedCondition}`],
    [`SELECT count(*) FROM orders WHERE package_id = 1 AND email = 'a' AND ${liveCondition}`],
    ["SELECT document FROM orders WHERE package_id = 1 AND key = 'k'"],
    ["SELECT document FROM orders WHERE id = 'a'"],
    ['SELECT document FROM orders WHERE package_id = 1 AND number > 5 ORDER BY number LIMIT 5'],
    [
      'SELECT number FROM orders WHERE (package_id, number) < (5, 5) ORDER BY package_id DESC, number DESC LIMIT 1',
    ],
    [`SELECT document FROM orders WHERE package_id = 1 AND number / ${ordersPerSlice} = 3 AND email = 'a'`],
  ])('an index serves %s', async (query) => {
    const file = join(folder, 'plan.db');
    await openSqliteStore({ file, countsEmails: true }).close();
    const plan = new DatabaseSync(file)
      .prepare(`EXPLAIN QUERY PLAN ${query}`)
      .all()
      .map(({ detail }) => String(detail));
    expect(plan.join('; ')).toMatch(/^SEARCH orders USING (COVERING )?INDEX [^;]*$/);
    if (query.includes('status IN')) expect(plan[0]).toMatch(/orders_(unfinished|live_by_email)/);
  });
});

describe('searches by email look into each slice of the index:', () => {
  const email = 'ana@example.com';
  const mine = (packageId: number, number: number) =>
    sampleOrder(number, { id: `${packageId}-${number}`, packageId, email });

  test('orders on both sides of the edges of slices are found once, newest first', async () => {
    const store = openSqliteStore({ file: join(folder, 'edges.db') });
    await store.addPackages([1, 2, 3].map((id) => samplePackage({ id })));
    const edges = [1, 2, 3].map((slice) => slice * ordersPerSlice);
    const numbers = edges.flatMap((edge) => [edge - 1, edge, edge + 1]);
    for (const id of [1, 3]) {
      const fence = (await store.takeOwnership(id, 'a'))!.fence;
      await store.commit(id, fence, sampleChange({ inserted: numbers.map((number) => mine(id, number)) }));
    }
    const expected = [3, 1].flatMap((id) => numbers.toReversed().map((number) => `${id}-${number}`));
    for (const limit of [1, 2, 4, 99]) {
      const found: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await store.ordersByEmail(email, cursor, limit);
        found.push(...page.items.map(({ id }) => id));
        cursor = page.next;
      } while (cursor !== undefined);
      expect(found, `limit ${limit}`).toEqual(expected);
    }
    await store.close();
  });

  test('a search through many slices lets other work of the process run', async () => {
    const store = openSqliteStore({ file: join(folder, 'slices.db') });
    await store.addPackages([samplePackage()]);
    const fence = (await store.takeOwnership(1, 'a'))!.fence;
    const others = Array.from({ length: 2_500 }, (_, slice) => sampleOrder((slice + 1) * ordersPerSlice));
    await store.commit(1, fence, sampleChange({ inserted: [mine(1, 1), ...others] }));
    let turns = 0;
    const search = store.ordersByEmail(email, undefined, 5);
    const count = setInterval(() => turns++, 0);
    expect((await search).items.map(({ number }) => number)).toEqual([1]);
    clearInterval(count);
    expect(turns).toBeGreaterThan(0);
    await store.close();
  });

  test('a file of an older release gets this index instead of its own; a reader works without it', async () => {
    const file = join(folder, 'older.db');
    await openSqliteStore({ file }).close();
    run(file, 'DROP INDEX orders_by_slice_and_email; CREATE INDEX orders_by_email ON orders (email)');
    const reader = openSqliteStore({ file, readOnly: true });
    expect(await reader.ordersByEmail('a', undefined, 5)).toEqual({ items: [] });
    await reader.close();
    await openSqliteStore({ file }).close();
    const db = new DatabaseSync(file);
    const named = db.prepare("SELECT name FROM sqlite_schema WHERE name LIKE 'orders_by%email'").all();
    expect(named).toEqual([{ name: 'orders_by_slice_and_email' }]);
    db.close();
  });
});

function run(file: string, sql: string): void {
  const db = new DatabaseSync(file);
  db.exec(sql);
  db.close();
}

function openInAnotherProcess(file: string, then = ''): SpawnSyncReturns<string> {
  const script = `
    const { openSqliteStore } = await import(${JSON.stringify(import.meta.resolve('./sqlite-store.ts'))});
    try {
      const store = openSqliteStore({ file: ${JSON.stringify(file)} });
      await store.addPackages([${JSON.stringify(samplePackage())}]);
      ${then};
      await store.close();
    } catch (error) { console.error(error.message); process.exit(1); }`;
  mkdirSync(join(folder, 'deep'), { recursive: true });
  return spawnSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' });
}
