import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { onSale, startServer, type TestServer } from '../support/server.ts';
import { launchChromium } from '../support/servers/chromium.ts';

/* The TypeScript client as others use it: unbuilt, as an npm package, and as modules in a browser. */

const root = join(import.meta.dirname, '../..');
const source = join(root, 'clients/typescript');
const tools = join(root, 'node_modules/.bin');

let server: TestServer;
/** A project that has installed the package. */
let project: string;

beforeAll(async () => {
  server = await startServer({
    settings: { FLIGHT_FAILURE_RATE: '0', SUPPLIER_LATENCY_MS: '500' },
    packages: [onSale({ quota: 10 })],
  });
  project = await mkdtemp(join(tmpdir(), 'ticket-booking-project-'));
  await run('npm', ['pack', '--pack-destination', project], source);
  const [packed = ''] = await readdir(project);
  await writeFile(join(project, 'package.json'), '{"type": "module"}');
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', `./${packed}`], project);
});
afterAll(async () => {
  await server?.stop();
  await rm(project, { recursive: true, force: true });
});

/** Runs a program with the Node of this repository. Returns what it prints. */
async function run(program: string, args: readonly string[], cwd: string): Promise<string> {
  const env = { ...process.env, PATH: `${tools}${delimiter}${process.env.PATH}` };
  const { stdout } = await promisify(execFile)(program, args, { cwd, env });
  return stdout.trim();
}

/** Checks a program of the project. @throws an error whose `stdout` has what is wrong. */
async function checkTypes(program: string): Promise<void> {
  const options = [
    '--noEmit',
    '--strict',
    '--target',
    'es2022',
    '--module',
    'nodenext',
    '--lib',
    'es2023,dom',
  ];
  await run('tsc', [...options, program], project);
}

/** A program that buys, follows its order, and prints the states that it sees. */
const programOf = (client: string) => `
import { TicketClient } from ${JSON.stringify(client)};
const seen: string[] = [];
const tickets = new TicketClient(${JSON.stringify(server.origin)});
const order = await tickets.buy({ packageId: 1, email: 'ana@example.com' }, { waitSeconds: 0 });
await tickets.waitForOutcome(order, { timeoutMs: 20_000, onUpdate: ({ status }) => { seen.push(status); } });
console.log(seen.at(0), seen.at(-1));
`;

test('runs unbuilt', async () => {
  const program = join(project, 'unbuilt.ts');
  await writeFile(program, programOf(join(source, 'src/index.ts')));
  expect(await run('node', [program], project)).toBe('held confirmed');
});

test('is an npm package with types, without dependencies and tests', async () => {
  const installed = join(project, 'node_modules/@ticket-booking/client');
  expect(await readdir(join(project, 'node_modules/@ticket-booking'))).toEqual(['client']);
  expect((await readdir(installed)).toSorted()).toEqual([
    'LICENSE',
    'README.md',
    'dist',
    'package.json',
    'src',
  ]);
  const files = [...(await readdir(join(installed, 'dist'))), ...(await readdir(join(installed, 'src')))];
  expect(files.filter((name) => name.includes('.test.'))).toEqual([]);
  const program = join(project, 'packaged.ts');
  await writeFile(program, programOf('@ticket-booking/client'));
  expect(await run('node', [program], project)).toBe('held confirmed');
  await checkTypes(program);
  await writeFile(program, programOf('@ticket-booking/client').replace('packageId: 1', "packageId: 'one'"));
  await expect(checkTypes(program)).rejects.toMatchObject({
    stdout: expect.stringContaining("Type 'string' is not assignable to type 'number'"),
  });
});

test.each([
  ['clients/typescript/README.md', ''],
  ['docs/api.md', "import { TicketClient } from '@ticket-booking/client';\n"],
])('has correct types in the example of %s', async (document, imports) => {
  const text = await readFile(join(root, document), 'utf8');
  const [example] = [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code]) => code);
  expect(example).toContain('waitForOutcome');
  const program = join(project, 'example.ts');
  await writeFile(program, `${imports}${example}`);
  await checkTypes(program);
});

test('runs in a browser, from the origin of the server', async () => {
  const dist = join(project, 'node_modules/@ticket-booking/client/dist');
  await using chromium = await launchChromium();
  const page = await chromium.context.newPage();
  await page.route('**/client/**', async (route) => {
    const name = new URL(route.request().url()).pathname.replace('/client/', '');
    const body = await readFile(join(dist, name), 'utf8');
    return route.fulfill({ contentType: 'text/javascript', body });
  });
  // A page of the server, whose policy allows scripts and connections of its own origin only.
  await page.goto(`${server.origin}/query`);
  const seen = await page.evaluate(`(async () => {
    const { TicketClient } = await import('/client/index.js');
    const requests = [];
    const fetch = (...args) => { requests.push(String(args[0])); return globalThis.fetch(...args); };
    const tickets = new TicketClient(location.origin, { fetch });
    const order = await tickets.buy({ packageId: 1, email: 'ana@example.com' }, { waitSeconds: 0 });
    const { status } = await tickets.waitForOutcome(order, { timeoutMs: 20000 });
    return [status, requests.length];
  })()`);
  // One request buys, one looks the order up, and the socket tells the outcome.
  expect(seen).toEqual(['confirmed', 2]);
});
