import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { environmentOf } from '../../test/support/node-process.ts';
import { httpPayments } from '../suppliers/http-payments.ts';
import { httpSuppliers } from '../suppliers/http-suppliers.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const flight = { key: 'A', packageId: 1, flight: 'Flight-1', email: 'ana@example.com' };

interface Run {
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  output(): string;
}

let folder: string;
let runs: Run[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ticket-booking-suppliers-'));
});
afterEach(async () => {
  for (const { child, exited } of runs) {
    child.kill('SIGKILL');
    await exited;
  }
  runs = [];
  await rm(folder, { recursive: true, force: true });
});

/** Starts the command in an empty folder. */
function run(args: readonly string[], settings: Record<string, string> = {}): Run {
  const child = spawn(process.execPath, [join(root, 'src/commands/suppliers.ts'), ...args], {
    cwd: folder,
    env: environmentOf({ LOG_LEVEL: 'warn', ...settings }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  const exited = once(child, 'close').then(([code]) => code as number | null);
  const started = { child, exited, output: () => output };
  runs.push(started);
  return started;
}

/** Starts the command, and returns the address that it prints. */
async function serve(args: readonly string[], settings: Record<string, string> = {}) {
  const { child, exited, output } = run(['--port', '0', ...args], settings);
  const address = () => /listen on (?<url>http:\S+)/.exec(output())?.groups?.url;
  await expect
    .poll(() => address() ?? (child.exitCode !== null && output()), { timeout: 20_000 })
    .toMatch(/^http/);
  const end = async () => {
    child.kill('SIGTERM');
    return exited;
  };
  return { url: address() as string, end, output };
}

describe('npm run suppliers', () => {
  it('keeps its ledger over a restart, and ends cleanly', async () => {
    const first = await serve(['--ledger', 'ledger.db', '--flight-failure-rate', '0']);
    expect(first.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/api\/suppliers$/);
    const answer = await httpSuppliers({ url: first.url }).reserveFlight(flight);
    expect(answer).toMatchObject({ kind: 'reserved' });
    expect(await first.end()).toBe(0);

    const second = await serve(['--ledger', 'ledger.db', '--flight-failure-rate', '1']);
    const client = httpSuppliers({ url: second.url });
    expect(await client.reserveFlight(flight)).toEqual(answer);
    expect(await client.reserveFlight({ ...flight, key: 'B' })).toMatchObject({ kind: 'refused' });
    await client.cancel('flights', 'A');
    expect((await client.ledger('flights')).items).toMatchObject([{ key: 'A', status: 'cancelled' }]);
    expect(await second.end()).toBe(0);
    expect(second.output()).not.toMatch(/error|warn/i);
  });

  it('reads its settings from the environment, and options override them', async () => {
    const settings = { FLIGHT_FAILURE_RATE: '1', HOTEL_FAILURE_RATE: '1', SUPPLIERS_TOKEN: 'token-of-tests' };
    const { url } = await serve(['--ledger', ':memory:', '--flight-failure-rate', '0'], settings);
    const peer = httpSuppliers({ url, token: 'token-of-tests' });
    const ticket = await peer.reserveFlight(flight);
    expect(ticket.kind).toBe('reserved');
    const { number } = ticket as { number: string };
    const hotel = {
      key: 'A',
      packageId: 1,
      stay: '2022-08-09',
      email: flight.email,
      flightTicketNumber: number,
    };
    expect(await peer.reserveHotel(hotel)).toEqual({ kind: 'refused', code: 'hotel_unavailable' });
    await expect(httpSuppliers({ url }).cancel('flights', 'A')).rejects.toThrow('401 unauthorized');
    expect((await peer.ledger('flights')).items).toHaveLength(1);
  });

  it.each([
    [['--help'], 0, /--ledger <file>/],
    [['--flight-failure-rate', '2'], 1, /--flight-failure-rate 2 is not allowed: a number from 0 to 1/],
    [['--port', '65536'], 1, /--port 65536 is not allowed/],
    [['--token', 'two words'], 1, /--token \(hidden\) is not allowed/],
    [['--wrong'], 1, /Unknown option '--wrong'/],
    [['left over'], 1, /Unexpected argument 'left over'/],
    [['--host', '0.0.0.0'], 1, /SUPPLIERS_TOKEN must be set to listen on 0\.0\.0\.0/],
    [['--ledger', '/'], 1, /is a folder/],
  ])('answers the options %j with the right text and exit code', async (args, code, message) => {
    const { exited, output } = run(args);
    expect(await exited).toBe(code);
    expect(output()).toMatch(message);
    if (code !== 0) expect(output().trim().split('\n')).toHaveLength(1);
  });

  it('lists all wrong options and settings', async () => {
    const flags = run(['--port', '65536', '--latency-ms', 'x']);
    expect(await flags.exited).toBe(1);
    expect(flags.output().trim().split('\n')).toEqual([
      'suppliers cannot start: 2 settings are wrong:',
      '--port 65536 is not allowed: a whole number from 0 to 65535.',
      '--latency-ms x is not allowed: a whole number from 0 to 600000.',
    ]);
    const settings = run([], { FLIGHT_FAILURE_RATE: '2', LOG_LEVEL: 'loud', HOTEL_RATE: '0' });
    expect(await settings.exited).toBe(1);
    expect(settings.output()).toMatch(/^HOTEL_RATE is not a setting: did you mean HOTEL_FAILURE_RATE\?\n/);
    expect(settings.output()).toMatch(/2 settings are wrong:\nFLIGHT_FAILURE_RATE=2 .*\nLOG_LEVEL=loud /);
  });

  it('reports in one line that its port is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const { exited, output } = run(['--port', String(port), '--ledger', ':memory:']);
    expect(await exited).toBe(1);
    other.close();
    expect(output().trim()).toBe(
      `suppliers cannot start: port ${port} of 127.0.0.1 is in use: choose another one with --port.`,
    );
  });
});

describe('the payment provider of npm run suppliers', () => {
  const secret = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
  const payment = { key: 'A', packageId: 1, email: 'ana@example.com', amount: 10_000, currency: 'EUR' };

  it('Q11 has payments with a page, keeps them over a restart, and sends signed events', async () => {
    const events: string[] = [];
    const shop = createServer((incoming, answer) => {
      const { 'webhook-signature': signature } = incoming.headers;
      let body = '';
      incoming.setEncoding('utf8').on('data', (text: string) => (body += text));
      incoming.on('end', () => {
        events.push(`${JSON.parse(body).type} ${signature === undefined ? 'unsigned' : 'signed'}`);
        answer.writeHead(204).end();
      });
    }).listen(0, '127.0.0.1');
    await once(shop, 'listening');
    const { port } = shop.address() as AddressInfo;
    const args = [
      '--ledger',
      'ledger.db',
      '--payment-events',
      `http://127.0.0.1:${port}/api/payments/events`,
    ];
    const settings = { PAYMENTS_WEBHOOK_SECRET: secret };
    const first = await serve(args, settings);
    const clientAt = (url: string) =>
      httpPayments({ url: new URL('.', url).href, returnUrl: () => 'https://tickets.example/orders/A' });
    const answer = await clientAt(first.url).requestPayment(payment);
    const page = (answer as { number: string }).number;
    expect(page).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/checkout\//);
    const body = new URLSearchParams({ act: 'pay' });
    expect((await fetch(page, { method: 'POST', body, redirect: 'manual' })).status).toBe(303);
    await expect.poll(() => events).toEqual(['payment.paid signed']);
    expect(await first.end()).toBe(0);
    const second = await serve(args, settings);
    expect(await clientAt(second.url).payment('A')).toMatchObject({ status: 'paid' });
    shop.close();
  });

  it('refuses to send events without the secret that signs them', async () => {
    const { exited, output } = run(['--port', '0', '--payment-events', 'http://127.0.0.1:1/events']);
    expect(await exited).toBe(1);
    expect(output()).toContain('PAYMENTS_WEBHOOK_SECRET');
  });
});
