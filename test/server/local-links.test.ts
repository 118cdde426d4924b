import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeDatabase, type TestDatabase } from '../support/server.ts';
import { type ServerProcess, spawnServer } from '../support/server-process.ts';

let database: TestDatabase;
let server: ServerProcess;

beforeEach(async () => {
  database = await makeDatabase();
});
afterEach(async () => {
  await server.end('SIGKILL');
  await database.delete();
});

test.each([
  ['other machines reach the server, and there is no origin', { HOST: '0.0.0.0' }, true],
  ['only this machine reaches the server', { HOST: '127.0.0.1' }, false],
  ['there is an origin', { HOST: '0.0.0.0', PUBLIC_ORIGIN: 'https://tickets.example' }, false],
  ['there are no payments', { HOST: '0.0.0.0', PAYMENTS: 'off' }, false],
])('the start warns of pages of simulated payments at localhost: %s', async (_, settings, warns) => {
  server = await spawnServer({ DATABASE_URL: database.url, PAYMENTS: 'simulated', ...settings });
  const warning = 'links to the pages of simulated payments lead to localhost';
  expect(server.output().split(warning)).toHaveLength(warns ? 2 : 1);
});
