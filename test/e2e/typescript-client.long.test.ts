import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { onSale, startServer, type TestServer } from '../support/server.ts';

/* The TypeScript client, unbuilt, in Deno and in Bun. Both come from npm. */

const client = join(import.meta.dirname, '../../clients/typescript/src/index.ts');
const execute = promisify(execFile);

let server: TestServer;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ticket-booking-runtimes-'));
  server = await startServer({
    settings: { FLIGHT_FAILURE_RATE: '0', SUPPLIER_LATENCY_MS: '500' },
    packages: [onSale({ quota: 10 })],
  });
  await execute('npm', ['install', '--no-audit', '--no-fund', '--prefix', folder, 'deno@2', 'bun@1'], {
    cwd: folder,
  });
});
afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

test.each([
  ['deno', ['run', '--quiet', '--no-config', '--no-lock', '--allow-net']],
  ['bun', ['run']],
])('follows an order over a socket in %s', async (name, args) => {
  const program = join(folder, `${name}.ts`);
  await writeFile(
    program,
    `import { TicketClient } from ${JSON.stringify(client)};
const requests: string[] = [];
const counting = (url: URL, init: RequestInit) => { requests.push(url.href); return fetch(url, init); };
const tickets = new TicketClient(${JSON.stringify(server.origin)}, { fetch: counting });
const order = await tickets.buy({ packageId: 1, email: 'ana@example.com' }, { waitSeconds: 0 });
const { status } = await tickets.waitForOutcome(order, { timeoutMs: 20_000 });
console.log(status, requests.length);
`,
  );
  const { stdout } = await execute(join(folder, 'node_modules/.bin', name), [...args, program], {
    cwd: folder,
  });
  // One request buys, one looks the order up, and the socket tells the outcome.
  expect(stdout.trim()).toBe('confirmed 2');
});
