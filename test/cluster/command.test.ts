import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { buy, lookUp } from '../support/api-client.ts';
import { runAudit } from '../support/audit.ts';
import { startNodeProcess } from '../support/node-process.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ticket-booking-cluster-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const start = (...parameters: string[]) => startWith({}, ...parameters);
const startWith = (settings: Record<string, string>, ...parameters: string[]) =>
  startNodeProcess({ program: 'tools/cluster/command.ts', parameters, settings, ready: /The cluster is up/ });

/** Processes that have our folder on their command line. */
async function left(): Promise<string[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(ids.map((id) => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')));
  return lines.filter((line) => line.includes(folder));
}

it('starts a cluster, sells through the balancer, survives a killed instance, keeps its data, and stops on SIGTERM', async () => {
  const first = await start('--instances', '2', '--port', '0', '--data', folder);
  const output = first.output();
  const origin = /balancer +(http:\/\/127\.0\.0\.1:\d+)/.exec(output)?.[1] as string;
  for (const what of [
    'instance-1 +http:',
    'instance-2 +http:',
    'MongoDB +mongodb:',
    'Redis +redis:',
    'suppliers +http:',
    'npm run bench -- --targets http://127\\.0\\.0\\.1:\\d+,http://127\\.0\\.0\\.1:\\d+ --read-only',
    'Rate limits are on',
  ])
    expect(output).toMatch(new RegExp(what));
  const answers = await Promise.all([1, 2, 3, 4].map((nth) => buy(origin, 2, { key: `key-${nth}` })));
  expect(answers.every(({ status }) => [201, 409, 502].includes(status))).toBe(true);
  const sold = answers.filter(({ status }) => status === 201).length;
  const socket = new WebSocket(`${origin.replace('http', 'ws')}/live?topic=package:2`);
  await once(socket, 'message');
  const closed = once(socket, 'close');
  expect(await left()).not.toEqual([]);
  expect(await first.end('SIGTERM')).toBe(0);
  expect((await closed)[0]).toBe(1012);
  expect(await left()).toEqual([]);

  const second = await start('--instances', '2', '--port', '0', '--data', folder);
  const again = /balancer +(http:\/\/127\.0\.0\.1:\d+)/.exec(second.output())?.[1];
  const kept = await (await fetch(`${again}/api/packages/2`)).json();
  expect(kept).toMatchObject({ confirmed: sold });
  // The command reports a killed or drained instance, and the others go on.
  process.kill(Number(/instance-1 .*pid (\d+)/.exec(second.output())?.[1]), 'SIGKILL');
  await expect.poll(second.output).toContain('instance-1 has ended by a signal');
  // What the others log of it is there to be read.
  await expect
    .poll(second.output, { timeout: 20_000 })
    .toMatch(/"instance":"instance-2","lost":"instance-1".*an instance is lost/);
  expect((await fetch(`${again}/healthz`)).status).toBe(200);
  expect(await second.end('SIGINT')).toBe(0);
  expect(await left()).toEqual([]);
});

it('Q11 has the orders of all instances paid at pages behind the balancer', async () => {
  const settings = { PAYMENTS: 'simulated', FLIGHT_FAILURE_RATE: '0', RATE_LIMIT: 'off' };
  const cluster = await startWith(settings, '--instances', '2', '--port', '0', '--data', folder);
  const [, origin = ''] = /balancer +(http:\/\/127\.0\.0\.1:\d+)/.exec(cluster.output()) ?? [];
  expect(cluster.output()).toContain(`simulated, at ${origin}/checkout/`);
  const email = 'ana@example.com';
  const orders = await Promise.all([1, 2, 3, 4].map(async (id) => (await buy(origin, id, { email })).order));
  for (const order of orders) {
    expect(order).toMatchObject({ status: 'payable', amount: 10_000, currency: 'USD' });
    expect(order?.paymentUrl).toMatch(new RegExp(`^${origin}/checkout/`));
    const body = new URLSearchParams({ act: 'pay' });
    const paid = await fetch(order?.paymentUrl ?? '', { method: 'POST', body, redirect: 'manual' });
    expect(paid.headers.get('location')).toMatch(new RegExp(`^${origin}/orders/${order?.id}\\?`));
    await expect
      .poll(async () => (await lookUp(origin, order?.id ?? '', email)).order?.status)
      .toBe('confirmed');
  }
  const [, mongo = ''] = /MongoDB +(mongodb:\S+)/.exec(cluster.output()) ?? [];
  const [, suppliers = ''] = /suppliers +(http:\S+)/.exec(cluster.output()) ?? [];
  const audited = { DATABASE_URL: mongo, SUPPLIERS_URL: suppliers, PAYMENTS: 'simulated' };
  expect((await runAudit(audited)).report).toMatchObject({ findings: [], payments: 4 });
  expect(await cluster.end('SIGTERM')).toBe(0);
});

it('names the part that did not start, and stops the other parts', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  await expect(start('--port', String(port - 1), '--data', folder)).rejects.toThrow(
    new RegExp(`address already in use 127\\.0\\.0\\.1:${port}`),
  );
  taken.close();
  expect(await left()).toEqual([]);
});

it.each([
  [['--instances', '0'], /--instances takes a whole number from 1 to 32, not '0'/],
  [['--members', '2'], /--members takes 1 or 3/],
  [['--engine', 'steam'], /--engine takes actor, lock or queue, not 'steam'/],
  [['--suppliers', 'there'], /--suppliers takes a URL, not 'there'/],
])('refuses %j', async (parameters, words) => {
  await expect(start(...parameters)).rejects.toThrow(words);
});

it.each([
  [{ PAYMENTS: 'simulated' }, ['--engine', 'lock'], /PAYMENTS=.*it needs ENGINE=actor/],
  [{ PAYMENTS: 'cash' }, [], /PAYMENTS=.*off, simulated, or a URL/],
])('refuses the settings %j with %j before anything starts', async (settings, parameters, words) => {
  const started = startWith(settings, ...parameters);
  await expect(started).rejects.toThrow(words);
  await expect(started).rejects.not.toThrow(/starting MongoDB/);
});
