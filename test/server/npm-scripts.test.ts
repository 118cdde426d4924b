import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openSqliteStore } from '../../src/storage/sqlite/sqlite-store.ts';
import { freePort } from '../support/free-port.ts';
import { environmentOf } from '../support/node-process.ts';
import { startMongod } from '../support/servers/mongod.ts';
import { startRedis } from '../support/servers/redis.ts';

const root = join(import.meta.dirname, '../..');
const waitOptions = { timeout: 30_000, interval: 50 };

let folder: string;
/** The ids of all processes that a script has started. The first is npm itself. */
let started: number[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ticket-booking-npm-'));
});
afterEach(async () => {
  for (const pid of started.filter(isAlive)) process.kill(pid, 'SIGKILL');
  started = [];
  await rm(folder, { recursive: true, force: true });
});

/** Runs a script of package.json as an operator does, and waits until its output matches `ready`. */
async function npmRun(script: string, parameters: string[], settings: Record<string, string>, ready: RegExp) {
  const child = spawn('npm', ['run', script, '--', ...parameters], {
    cwd: root,
    env: environmentOf({ HOME: folder, npm_config_update_notifier: 'false', ...settings }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const ended = once(child, 'exit');
  started.push(child.pid as number);
  await vi.waitFor(() => expect(output).toMatch(ready), waitOptions);
  const inside = descendantsOf(child.pid as number);
  started.push(...inside);
  expect(inside.map(programOf)).toContainEqual(expect.stringMatching(/src\/(start\.mjs|commands\/)/));
  return { child, ended, inside };
}

/** Sends SIGTERM to npm alone, as a supervisor does, and expects that no process of the script lives on. */
async function endsWhole({
  child,
  ended,
  inside,
}: {
  child: ChildProcess;
  ended: Promise<unknown[]>;
  inside: number[];
}) {
  child.kill('SIGTERM');
  await ended;
  expect(inside.filter(isAlive).map(programOf)).toEqual([]);
}

function descendantsOf(pid: number): number[] {
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((each) => parentOf(each) === pid);
  return children.flatMap((child) => [child, ...descendantsOf(child)]);
}

/** The id of a process's parent; undefined if the process has ended. */
function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // Skip the name in brackets, because it may contain anything.
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined;
  }
}

function programOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer().listen(port, '127.0.0.1');
  return once(probe, 'listening').then(
    () => {
      probe.close();
      return true;
    },
    () => false,
  );
}

describe('the scripts of package.json', () => {
  it('replace npm’s shell with the program, so that signals reach the program', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    expect(Object.entries(scripts).filter(([, script]) => /^node /.test(script))).toEqual([]);
  });

  it('SIGTERM to `npm start` ends the server, and its port and database are free again', async () => {
    const file = join(folder, 'booking.db');
    const port = await freePort({ isKept: true });
    const settings = { PORT: String(port), HOST: '127.0.0.1', DATABASE_URL: `sqlite:${file}` };
    const run = await npmRun('start', [], settings, new RegExp(`listens on http:\\S+:${port}`));
    expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
    await endsWhole(run);
    expect(await isFree(port)).toBe(true);
    await openSqliteStore({ file }).close();
  });

  it('SIGTERM to `npm run suppliers` ends the suppliers', async () => {
    const port = await freePort({ isKept: true });
    const parameters = ['--port', String(port), '--ledger', ':memory:'];
    await endsWhole(await npmRun('suppliers', parameters, {}, /listen on http:/));
    expect(await isFree(port)).toBe(true);
  });

  it('SIGTERM to `npm run consumer` ends the consumer', async () => {
    await using mongod = await startMongod();
    await using redis = await startRedis();
    const settings = { DATABASE_URL: mongod.url, REDIS_URL: redis.url };
    await endsWhole(await npmRun('consumer', [], settings, /the consumer takes orders/));
  });
});
