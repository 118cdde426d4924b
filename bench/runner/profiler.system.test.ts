import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type NodeProcess, startNodeProcess } from '../../test/support/node-process.ts';
import { Profiler } from './profiler.ts';

let folder: string;
let server: NodeProcess;

async function start(settings: Readonly<Record<string, string>>): Promise<NodeProcess> {
  const packages = join(folder, 'packages.json');
  await writeFile(packages, JSON.stringify({ packages: [{ id: 1, quota: 10 }] }));
  return startNodeProcess({
    program: 'bench/baselines/hello.ts',
    parameters: ['--packages', packages],
    settings,
    ready: /listens on (?<url>\S+)/,
  });
}

/** Enough purchases to be seen by a profiler that looks every 0.5 ms. */
async function buyMuch(): Promise<void> {
  const url = `${server.match.groups?.url}/api/orders`;
  const body = JSON.stringify({ packageId: 1, email: 'ada@example.org' });
  const headers = { 'content-type': 'application/json' };
  for (let purchase = 0; purchase < 1_000; purchase++) {
    const response = await fetch(url, { method: 'POST', headers, body });
    expect(response.status).toBe(201);
    await response.text();
  }
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'profiles-'));
  server = await start(Profiler.settings);
});
afterEach(async () => {
  await server.end('SIGKILL');
  await rm(folder, { recursive: true });
});

it('tells which parts of a server used the CPU, and does not keep the server from ending', async () => {
  const profiler = new Profiler(folder);
  profiler.add('hello', server);
  const { result, profile } = await profiler.during([server.pid, process.pid], async () => {
    await buyMuch();
    return 'done';
  });
  expect(result).toBe('done');
  expect(profile).toMatchObject({ hono: expect.any(Number), 'Node.js': expect.any(Number) });
  expect(await readdir(folder)).toContain('001-hello.cpuprofile');
  expect(await server.end('SIGTERM', 20_000)).toBe(0);
});

it('counts only the measured window of a load', async () => {
  const profiler = new Profiler(folder);
  profiler.add('hello', server);
  const { profile } = await profiler.during([server.pid], async () => {
    await buyMuch();
    profiler.windowBegins();
    profiler.windowEnds();
    await buyMuch();
  });
  expect(profile).toBeDefined();
  expect(profile).not.toHaveProperty('hono');
});

it('profiles no other processes', async () => {
  expect(await new Profiler(folder).during([server.pid], async () => 1)).toEqual({ result: 1 });
  await server.end('SIGKILL');
  server = await start({});
  expect(() => new Profiler(folder).add('hello', server)).toThrow('tells no address of its inspector');
});

it('fails if the server ends while it is profiled', async () => {
  const profiler = new Profiler(folder);
  profiler.add('hello', server);
  const profiled = profiler.during([server.pid], () => server.end('SIGKILL'));
  await expect(profiled).rejects.toThrow('has ended');
});
