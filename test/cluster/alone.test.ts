import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { openMongoStore } from '../../src/storage/mongodb/mongo-store.ts';
import { buy } from '../support/api-client.ts';
import { onSale } from '../support/server.ts';
import { type ServerProcess, spawnServer } from '../support/server-process.ts';
import { type Mongod, startMongod } from '../support/servers/mongod.ts';

let mongo: Mongod;
const servers: ServerProcess[] = [];

beforeAll(async () => {
  mongo = await startMongod();
  const store = await openMongoStore({ url: mongo.url });
  await store.addPackages([onSale({ id: 1, quota: 10 })]);
  await store.close();
});
afterEach(async () => {
  for (const server of servers.splice(0)) await server.end('SIGKILL');
});
afterAll(() => mongo.stop());

async function start(instance: string): Promise<ServerProcess> {
  const server = await spawnServer({
    DATABASE_URL: mongo.url,
    INSTANCE_ID: instance,
    FLIGHT_FAILURE_RATE: '0',
    LOG_LEVEL: 'info',
  });
  servers.push(server);
  return server;
}

it('Q9 without Redis a second instance fences the first, which stops and logs the reason', async () => {
  const first = await start('first');
  expect(await buy(first.origin, 1, { email: 'a@example.com' })).toMatchObject({ status: 201 });
  const second = await start('second');
  expect(await buy(second.origin, 1, { email: 'b@example.com' })).toMatchObject({ status: 201 });
  await buy(first.origin, 1, { email: 'c@example.com', key: 'c', prefer: 'wait=1' }).catch(() => undefined);
  await vi.waitFor(() => expect(first.exitCode()).toBe(1), { timeout: 10_000 });
  expect(first.output()).toMatch(/another instance works on the same store: this one stops/);
  expect(await buy(second.origin, 1, { email: 'd@example.com' })).toMatchObject({ status: 201 });
});
