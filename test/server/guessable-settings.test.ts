import { afterEach, expect, test } from 'vitest';
import { makeDatabase, type TestDatabase } from '../support/server.ts';
import { type ServerProcess, spawnServer } from '../support/server-process.ts';

let database: TestDatabase;
let server: ServerProcess;

afterEach(async () => {
  await server.end('SIGKILL');
  await database.delete();
});

test.each([
  ['SECRET', 32],
  ['ADMIN_TOKEN', 20],
])(
  'the start warns of a %s with fewer than %d characters, without logging its value',
  async (name, least) => {
    database = await makeDatabase();
    const long = 'w'.repeat(least);
    server = await spawnServer({ DATABASE_URL: database.url, [name]: long });
    expect(server.output()).not.toContain('guessed');
    await server.end('SIGTERM');
    server = await spawnServer({ DATABASE_URL: database.url, [name]: long.slice(1) });
    expect(server.output()).toContain(`${name} has fewer than ${least} characters: it can be guessed`);
    expect(server.output()).not.toContain('www');
  },
);
