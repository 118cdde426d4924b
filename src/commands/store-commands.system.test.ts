import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sampleChange, sampleInventory, sampleOrder } from '../../test/contract/samples.ts';
import { allPackages, packagesOf } from '../../test/support/all-packages.ts';
import { environmentOf } from '../../test/support/node-process.ts';
import { startServer } from '../../test/support/server.ts';
import type { AuditReport } from '../audit/audit-report.ts';
import { openSqliteStore } from '../storage/sqlite/sqlite-store.ts';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'store-commands-'));
  file = join(folder, 'deep', 'booking.db');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs a command as npm does, without a terminal. */
function run(command: 'db-init' | 'audit', args: string[] = [], settings: Record<string, string> = {}) {
  const path = fileURLToPath(import.meta.resolve(`./${command}.ts`));
  const env = environmentOf({ DATABASE_URL: `sqlite:${file}`, ...settings });
  const child = spawn(process.execPath, [path, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  return new Promise<Ran>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, err }));
  });
}

/** A store with one queued order and no owner. */
async function fill(): Promise<void> {
  const store = openSqliteStore({ file });
  const { fence } = (await store.takeOwnership(1, 'test'))!;
  const inventory = sampleInventory({ remaining: 1, waiting: 1, nextNumber: 2 });
  await store.commit(1, fence, sampleChange({ inventory, inserted: [sampleOrder(1)] }));
  await store.ledger.record('flights', {
    key: 'public:me',
    number: 'F-1',
    status: 'active',
    subject: 'Flight-1',
    packageId: 1,
  });
  await store.setting('secret', () => 'kept');
  await store.close();
}

function plant(sql: string): void {
  const db = new DatabaseSync(file);
  db.exec(sql);
  db.close();
}

describe('db:init', () => {
  test('adds the sample packages to a new store, and keeps existing packages', async () => {
    expect(await run('db-init')).toEqual({ code: 0, out: 'Added 4 packages (1, 2, 3, 4).\n', err: '' });
    expect((await run('db-init')).out).toMatch(/^Added no package.\n.*left as they are: 4 packages/);
    const store = openSqliteStore({ file });
    const offers = (await allPackages(store)).map(({ package: { id, flight, stay, price, quota } }) =>
      [id, flight, stay, price, quota].join(' '),
    );
    await store.close();
    expect(offers).toEqual([
      '1 Flight-1 2022-08-09 100 1',
      '2 Flight-2 2022-08-09 100 2',
      '3 Flight-3 2022-08-10 100 2',
      '4 Flight-3 2022-08-11 100 2',
    ]);
  });

  test('adds the packages of a file, and adds none if the file has mistakes', async () => {
    const packages = join(folder, 'packages.json');
    await writeFile(packages, JSON.stringify({ packages: [{ id: 9 }] }));
    const wrong = await run('db-init', ['--file', packages]);
    expect(wrong).toMatchObject({ code: 2, out: '' });
    expect(wrong.err).toContain(`${packages}: packages[0].flight (package 9): `);
    const good = {
      id: 9,
      flight: 'F',
      stay: '2027-01-01',
      price: 5,
      quota: 2,
      opensAt: '2027-01-01T00:00:00Z',
    };
    await writeFile(packages, JSON.stringify({ packages: [good] }));
    expect(await run('db-init', ['--file', packages])).toMatchObject({ code: 0, out: 'Added package 9.\n' });
  });

  test('adds a package whose night is in the past, and warns of it', async () => {
    const packages = join(folder, 'packages.json');
    const old = { id: 9, flight: 'F', stay: '2020-01-01', price: 5, quota: 2 };
    const next = { ...old, id: 10, stay: '2999-01-01' };
    await writeFile(packages, JSON.stringify({ packages: [old, next] }));
    expect(await run('db-init', ['--file', packages])).toEqual({
      code: 0,
      out: 'Added 2 packages (9, 10).\n',
      err: 'Warning: package 9 has its night in the past (2020-01-01).\n',
    });
  });

  test('warns of a misspelt setting, as audit does', async () => {
    const settings = { SUPPLIER_URL: 'http://127.0.0.1:1' };
    const warning = 'SUPPLIER_URL is not a setting: did you mean SUPPLIERS_URL?\n';
    expect(await run('db-init', [], settings)).toMatchObject({ code: 0, err: warning });
    expect(await run('audit', [], settings)).toMatchObject({ code: 0, err: warning });
  });

  test('--reset needs a confirmation, deletes packages, orders and reservations, and keeps settings', async () => {
    await run('db-init');
    await fill();
    const refused = await run('db-init', ['--reset']);
    expect(refused).toMatchObject({ code: 2, out: '' });
    expect(refused.err).toContain('say --yes');
    expect((await run('audit')).out).toContain('1 order,');
    expect(await run('db-init', ['--reset', '--yes'])).toMatchObject({ code: 0, err: '' });
    const store = openSqliteStore({ file });
    expect(await allPackages(store)).toHaveLength(4);
    expect(await store.order('ORDER-1-1')).toBeUndefined();
    expect(await store.ledger.find('flights', 'public:me')).toBeUndefined();
    expect(await store.setting('secret', () => 'new')).toBe('kept');
    await store.close();
  });

  test('is refused in one line while a server uses the store', async () => {
    const server = await startServer({ settings: { DATABASE_URL: `sqlite:${file}` } });
    const refused = await run('db-init', ['--reset', '--yes']);
    expect(refused).toMatchObject({ code: 2, out: '' });
    expect(refused.err).toMatch(/^.*booking\.db is in use by another process.*\n$/);
    expect(await packagesOf(server.engine)).toHaveLength(4);
    await server.stop();
  });

  test.each([[['--nope']], [['stray']], [['--file']]])('refuses %j', async (args) => {
    const { code, err } = await run('db-init', args);
    expect(code).toBe(2);
    expect(err).toContain('npm run db:init -- --help');
  });

  test('--help works without a store', async () => {
    const { code, out } = await run('db-init', ['--help'], { DATABASE_URL: 'nonsense' });
    expect(code).toBe(0);
    expect(out).toContain('--reset');
  });
});

describe('audit', () => {
  test('reports a store without findings', async () => {
    await run('db-init');
    expect(await run('audit')).toEqual({
      code: 0,
      out: '4 packages, 0 orders, 0 active reservations at the suppliers: nothing is wrong.\n',
      err: '',
    });
  });

  test('names every finding, and exits 1', async () => {
    await run('db-init');
    await fill();
    plant(`UPDATE packages SET held = 1 WHERE id = 1;
      INSERT INTO reservations VALUES ('hotels', 'GHOST', 'H-1', 'active', '2022-08-09', 1, NULL)`);
    const { code, out } = await run('audit');
    expect(code).toBe(1);
    expect(out).toContain('Q1 package 1: the inventory do not add up');
    expect(out).toContain('Q1 package 1: the package says held 1, its orders say 0');
    expect(out).toContain('Q8 order GHOST: hotel H-1 is reserved for no order');
    expect(out).toContain('3 findings.');
    expect(out).toContain('1 reservation made by the public');
    const json = await run('audit', ['--json']);
    expect(json.code).toBe(1);
    expect(JSON.parse(json.out)).toMatchObject({
      ok: false,
      publicReservations: 1,
      findings: [{ rule: 'Q1' }, {}, {}],
    });
  });

  test('reads the ledger of external suppliers with their token', async () => {
    await run('db-init');
    const suppliers = await startServer({ settings: { SUPPLIERS_TOKEN: 'a-token-for-peers-alone' } });
    const url = `${suppliers.origin}/api/suppliers`;
    const settings = { SUPPLIERS_URL: url, SUPPLIERS_TOKEN: 'a-token-for-peers-alone' };
    expect(JSON.parse((await run('audit', ['--json'], settings)).out)).toMatchObject({ suppliersRead: true });
    const closed = await run('audit', [], { SUPPLIERS_URL: url });
    expect(closed.code).toBe(0);
    expect(closed.out).toContain("The suppliers' ledger was not read");
    expect(await run('audit', [], { ...settings, SUPPLIERS_TOKEN: 'a-token-that-is-wrong!' })).toMatchObject({
      code: 2,
      out: '',
    });
    await suppliers.stop();
    expect(await run('audit', [], settings)).toMatchObject({ code: 2, out: '' });
  });

  test.each([
    ['an option it does not know', ['--nope'], {}],
    ['a skew that is no number', ['--clock-skew-ms', '1e3'], {}],
    ['a store that is not there', [], { DATABASE_URL: 'sqlite:./nowhere/none.db' }],
    ['a database it cannot speak to', [], { DATABASE_URL: 'mysql://localhost/x' }],
  ])('exits 2 for %s', async (_, args, settings) => {
    const { code, out, err } = await run('audit', args, settings);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).not.toContain('    at ');
  });

  test('Q1 Q5 Q8 reports no findings while a server sells under load', async () => {
    const packages = join(folder, 'packages.json');
    const offer = { flight: 'F', stay: '2027-01-01', price: 5 };
    await writeFile(
      packages,
      JSON.stringify({ packages: [1, 2, 3].map((id) => ({ ...offer, id, quota: id * 2000 })) }),
    );
    await run('db-init', ['--file', packages]);
    const server = await startServer({
      settings: { DATABASE_URL: `sqlite:${file}`, SUPPLIER_LATENCY_MS: '3' },
    });
    let isAudited = false;
    const buyers = Array.from({ length: 60 }, async (_, buyer) => {
      for (let nth = 0; !isAudited; nth++) {
        const packageId = (nth % 3) + 1;
        const bought = await server.engine.purchase({ packageId, email: `${buyer}@example.com` });
        if (bought.kind === 'refused') {
          await nextTurn();
          continue;
        }
        const settled = await server.engine.outcome(bought.order, { waitMs: 5_000 });
        if (settled.status === 'confirmed' && buyer % 2 === 0) await server.engine.cancel(settled);
      }
    });
    const reports: AuditReport[] = [];
    for (let time = 0; time < 4; time++) reports.push(JSON.parse((await run('audit', ['--json'])).out));
    isAudited = true;
    await Promise.all(buyers);
    await server.stop();
    for (const report of reports) expect(report).toMatchObject({ ok: true, findings: [], inMotion: [] });
    expect(reports.at(-1)!.orders).toBeGreaterThan(reports[0]!.orders);
    expect(JSON.parse((await run('audit', ['--json'])).out)).toMatchObject({ ok: true });
  });
});
