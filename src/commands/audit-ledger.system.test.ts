import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { environmentOf } from '../../test/support/node-process.ts';
import { onSale } from '../../test/support/server.ts';
import { openSqliteStore } from '../storage/sqlite/sqlite-store.ts';

/* The output of `npm run audit` if the suppliers' ledger cannot be read. */

let folder: string;
let file: string;
let server: Server | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'audit-ledger-'));
  file = join(folder, 'booking.db');
  const store = openSqliteStore({ file });
  await store.addPackages([onSale({ id: 1 })]);
  await store.close();
});
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function listen(answer: RequestListener): Promise<string> {
  server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Runs the command without a terminal. Only a page that hangs takes longer than the limit of a busy machine. */
async function audit(url: string, args: readonly string[] = [], token?: string) {
  const path = fileURLToPath(import.meta.resolve('./audit.ts'));
  const settings = { DATABASE_URL: `sqlite:${file}`, SUPPLIERS_URL: `${url}/api/suppliers` };
  const env = environmentOf(token === undefined ? settings : { ...settings, SUPPLIERS_TOKEN: token });
  const child = spawn(process.execPath, [path, ...args], { env });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const [code] = (await once(child, 'close')) as [number];
  return { code, out, err };
}

const token = 'a-token-for-peers-alone';
/** The reason if a page takes longer than the limit of a hasty audit. */
const hangs = 'no answer within 1 s';
const hasty = ['--page-timeout-s', '1'];
const page = (body: object): RequestListener => {
  return (_request, response) =>
    response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
};
const problem: RequestListener = (_request, response) => {
  response.writeHead(401, { 'content-type': 'application/problem+json' });
  response.end(JSON.stringify({ code: 'unauthorized' }));
};

test.each([
  ['hang', () => {}, token, hangs],
  ['hang, without a token', () => {}, undefined, hangs],
  ['refuse the token', problem, token, 'the token is refused (status 401); check SUPPLIERS_TOKEN'],
  ['answer nonsense', page({ rubbish: true }), token, 'flights: a malformed ledger page, status 200'],
  ['answer with a cursor that never moves', page({ reservations: [], next: '1' }), token, 'does not go on'],
] as const)('the audit names suppliers that %s, and exits 2', async (_, answer, sentToken, reason) => {
  const url = await listen(answer);
  const { code, out, err } = await audit(url, reason === hangs ? hasty : [], sentToken);
  expect([code, out]).toEqual([2, '']);
  expect(err).toContain('ledger');
  expect(err).toContain(reason);
  expect(err.trim()).not.toContain('\n');
});

test.each([token, undefined])(
  'the audit names suppliers that refuse the connection (token: %s)',
  async (sentToken) => {
    const url = await listen(() => {});
    server?.close();
    expect(await audit(url, [], sentToken)).toEqual({
      code: 2,
      out: '',
      err: `the suppliers' ledger at ${url} cannot be read: the connection is refused (ECONNREFUSED)\n`,
    });
  },
);

test('the audit ends if a later page of the ledger hangs', async () => {
  let pages = 0;
  const url = await listen((request, response) => {
    pages += 1;
    if (pages <= 2) page({ reservations: [], next: String(pages) })(request, response);
  });
  expect(await audit(url, hasty, token)).toMatchObject({ code: 2, err: expect.stringContaining(hangs) });
});

test('the audit skips a ledger that demands a token if none is configured', async () => {
  const { code, out } = await audit(await listen(problem));
  expect(code).toBe(0);
  expect(out).toContain("The suppliers' ledger was not read");
});

test('the audit prints its progress on stderr if an option asks for it', async () => {
  const url = await listen(page({ reservations: [] }));
  const { code, err } = await audit(url, ['--progress'], token);
  expect(code).toBe(0);
  expect(err.split('\n')).toEqual([
    'opening the ledger of the suppliers',
    '0 of 1 packages, 0 orders, 0 reservations read',
    '1 of 1 packages, 0 orders, 0 reservations read',
    '',
  ]);
});
