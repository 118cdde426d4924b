import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type NodeProcess, startNodeProcess } from '../../test/support/node-process.ts';
import { runProgram } from '../runner/program.ts';
import { buyAtPace } from '../scenarios/live-changes.ts';
import { startViewers } from './viewers.ts';

const sockets = 30;
const packageId = 1;
const timeoutMs = 15_000;

let folder: string;
let server: NodeProcess;
let origin: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ticket-booking-viewers-'));
  const settings = {
    DATABASE_URL: `sqlite:${join(folder, 'booking.db')}`,
    HOST: '127.0.0.1',
    PORT: '0',
    LOG_LEVEL: 'warn',
    RATE_LIMIT: 'off',
    FLIGHT_FAILURE_RATE: '0',
    SUPPLIER_LATENCY_MS: '0',
  };
  const offer = { id: packageId, quota: 100_000, flight: 'BENCH', stay: '2030-01-01', price: 100 };
  const file = join(folder, 'packages.json');
  await writeFile(file, JSON.stringify({ packages: [offer] }));
  expect((await runProgram('src/commands/db-init.ts', ['--file', file], settings)).code).toBe(0);
  const ready = /listens on (?<url>http:\S+)/;
  server = await startNodeProcess({ program: 'src/main.ts', settings, ready });
  origin = server.match.groups?.url as string;
});
afterAll(async () => {
  await server.end('SIGTERM');
  await rm(folder, { recursive: true, force: true });
});

it('cuts connections, which reconnect, get the current state, and miss no change', async () => {
  await using viewers = startViewers([]);
  await viewers.open(origin, { topic: `package:${packageId}`, packageId }, sockets);
  const { remaining } = (await (await fetch(`${origin}/api/packages/${packageId}`)).json()) as {
    remaining: number;
  };
  await viewers.record(remaining);
  const [some, changes] = await Promise.all([
    viewers.cut(10, timeoutMs),
    buyAtPace(origin, packageId, { perSecond: 10, seconds: 0.2 }),
  ]);
  expect(some).toMatchObject({ lost: 0, recovery: { count: 10 } });
  const all = await viewers.cut(2 * sockets, timeoutMs);
  expect(all).toMatchObject({ lost: 0, recovery: { count: sockets } });
  // A page waits before it reconnects.
  expect(all.recovery.max).toBeGreaterThan(200);
  const { delays, unseen, gone } = await viewers.report(changes.madeAt, timeoutMs);
  expect({ unseen, gone, seen: delays.count }).toEqual({ unseen: 0, gone: 0, seen: 2 * sockets });
});

it('tells how many viewers do not recover', async () => {
  await using viewers = startViewers([]);
  await viewers.open(origin, { topic: `package:${packageId}`, packageId }, 3);
  const cut = await viewers.cut(3, 50);
  expect(cut).toMatchObject({ lost: 3, recovery: { count: 0 } });
});
