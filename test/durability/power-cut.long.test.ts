import { cp, mkdir, mkdtemp, open, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { openMongoStore } from '../../src/storage/mongodb/mongo-store.ts';
import { openSqliteStore } from '../../src/storage/sqlite/sqlite-store.ts';
import type { Store } from '../../src/storage/store.ts';
import { plant } from '../simulation/bug-hunt.ts';
import type { Edit } from '../simulation/planted-bug.ts';
import { Prng } from '../simulation/prng.ts';
import { auditHere } from '../support/audit.ts';
import { type NodeProcess, startNodeProcess } from '../support/node-process.ts';
import { startMongod } from '../support/servers/mongod.ts';
import { type AnsweredOrder, buyOrders, lostOrders } from './answered-orders.ts';
import { straceInto } from './disk-trace.ts';
import { cutPower } from './power-cut.ts';

/*
 * A killed process loses nothing that it gave to the kernel, so a kill cannot show whether the program waits for the
 * disk. Here strace records every write and every sync of the process that stores. The files are then rebuilt as a power
 * cut right after an answer would leave them.
 */

// Each test starts servers under strace, and opens what is left many times.
vi.setConfig({ testTimeout: 300_000 });

const root = fileURLToPath(new URL('../../', import.meta.url));
const ordersMin = 100;
const adminToken = 'a-token-of-twenty-characters';

let scratch: string;
/** The files of the program that stores. */
let data: string;
let log: string;

beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'ticket-booking-power-cut-'));
  data = join(scratch, 'data');
  log = join(scratch, 'log');
  await mkdir(data);
});
afterEach(() => rm(scratch, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));

/** A copy of the program in which these edits are made. */
async function copyWith(edits: readonly Edit[]): Promise<string> {
  const copy = join(scratch, 'program');
  await cp(join(root, 'src'), join(copy, 'src'), { recursive: true });
  await cp(join(root, 'public'), join(copy, 'public'), { recursive: true });
  await cp(join(root, 'package.json'), join(copy, 'package.json'));
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
  for (const edit of edits) {
    const file = join(copy, edit.file);
    await writeFile(file, plant(await readFile(file, 'utf8'), edit, edit.replace));
  }
  return copy;
}

function startServer(folder: string, url: string, tracer: readonly string[] = []): Promise<NodeProcess> {
  const settings = {
    PORT: '0',
    HOST: '127.0.0.1',
    RATE_LIMIT: 'off',
    LOG_LEVEL: 'warn',
    ADMIN_TOKEN: adminToken,
    DATABASE_URL: url,
  };
  return startNodeProcess({
    ...{ program: 'src/start.mjs', folder, tracer, settings },
    ready: /listens on (http:\S+)/,
  });
}

/** Waits until strace has written everything. */
async function traceEnd(): Promise<void> {
  await vi.waitFor(async () => {
    await using file = await open(log);
    const { size } = await file.stat();
    const { buffer } = await file.read({ buffer: Buffer.alloc(2_000), position: Math.max(0, size - 2_000) });
    expect(buffer.toString('latin1')).toMatch(/\+\+\+ (killed|exited)/);
  }, 20_000);
}

/** Cuts the power after some of the answers, drawn at random. Returns what the stores that are left have lost. */
async function cutOften(
  answered: readonly AnsweredOrder[],
  cuts: number,
  openLeft: (target: string) => Promise<{ readonly store: Store; close(): Promise<void> }>,
): Promise<string[]> {
  const prng = new Prng(7);
  const found: string[] = [];
  for (let nth = 0; nth < cuts; nth++) {
    const { answeredAt } = prng.pick(answered);
    const atMs = answeredAt + 1;
    const target = join(scratch, `left-${nth}`);
    await mkdir(target);
    // In every other cut the disk has stored half of the writes that were not synced.
    const survives = nth % 2 === 0 ? () => false : () => prng.chance(0.5);
    await cutPower({ log, folder: data, target, atMs, survives });
    const { store, close } = await openLeft(target);
    found.push(...(await lostOrders(store, answered, atMs)));
    await close();
    await rm(target, { recursive: true });
  }
  return found;
}

/** Adds a package with many units, and returns its id. */
async function addPackage(origin: string): Promise<number> {
  const response = await fetch(`${origin}/api/admin/packages`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ flight: 'Flight', stay: '2030-08-09', price: 100, quota: 1_000_000 }),
  });
  expect(response.status).toBe(201);
  return ((await response.json()) as { id: number }).id;
}

async function sell(server: NodeProcess): Promise<AnsweredOrder[]> {
  const origin = server.match[1] as string;
  return buyOrders(origin, await addPackage(origin), ordersMin);
}

async function sellOnSqlite(edits: readonly Edit[] = []): Promise<string[]> {
  const file = (folder: string) => join(folder, 'booking.db');
  const program = edits.length === 0 ? root : await copyWith(edits);
  const server = await startServer(program, `sqlite:${file(data)}`, await straceInto(log));
  const answered = await sell(server).finally(() => server.end('SIGKILL'));
  await traceEnd();
  return cutOften(answered, 8, async (target) => {
    const store = openSqliteStore({ file: file(target) });
    const close = async () => {
      await store.close();
      await expectCleanAudit({ DATABASE_URL: `sqlite:${file(target)}` });
    };
    return { store, close };
  });
}

async function sellOnMongo(edits: readonly Edit[] = []): Promise<string[]> {
  const program = edits.length === 0 ? root : await copyWith(edits);
  await using mongo = await startMongod({ folder: data, tracer: await straceInto(log) });
  const server = await startServer(program, mongo.url);
  const answered = await sell(server).finally(() => mongo.kill(0));
  await server.end('SIGKILL');
  await traceEnd();
  return cutOften(answered, 4, async (folder) => {
    const left = await startMongod({ folder });
    const store = await openMongoStore({ url: left.url });
    const close = async () => {
      await store.close();
      await expectCleanAudit({ DATABASE_URL: left.url });
      await left.stop();
    };
    return { store, close };
  });
}

async function expectCleanAudit(settings: Record<string, string>): Promise<void> {
  expect((await auditHere(settings)).findings).toEqual([]);
}

const sqliteFile = 'src/storage/sqlite/connection.ts';

describe('SQLite', () => {
  test('Q6 a power cut loses no order that was answered 201 or 202', async () => {
    expect(await sellOnSqlite()).toEqual([]);
  });

  test.each(['OFF', 'NORMAL'])('the test finds the orders that synchronous = %s loses', async (level) => {
    const find = 'PRAGMA synchronous = FULL';
    const planted = { file: sqliteFile, find, replace: `PRAGMA synchronous = ${level}` };
    expect(await sellOnSqlite([planted])).not.toEqual([]);
  });
});

describe('MongoDB', () => {
  test('Q6 a power cut loses no order that was answered 201 or 202', async () => {
    expect(await sellOnMongo()).toEqual([]);
  });

  test('the test finds the orders that a write concern without the journal loses', async () => {
    const planted = {
      file: 'src/storage/mongodb/commit.ts',
      find: "{ w: 'majority', journal: true, wtimeoutMS: timeoutMs }",
      replace: '{ w: 1, journal: false, wtimeoutMS: timeoutMs }',
    };
    expect(await sellOnMongo([planted])).not.toEqual([]);
  });
});
