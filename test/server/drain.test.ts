import { afterEach, expect, test } from 'vitest';
import { TicketClient } from '../../clients/typescript/src/index.ts';
import { buy } from '../support/api-client.ts';
import { makeDatabase, onSale, type TestDatabase } from '../support/server.ts';
import { type ServerProcess, spawnServer } from '../support/server-process.ts';

let database: TestDatabase;
let server: ServerProcess;

afterEach(async () => {
  await server.end('SIGKILL');
  await database.delete();
});

test('Q6 SIGTERM answers all waiting callers, and the next start finishes the accepted orders', async () => {
  database = await makeDatabase([onSale({ quota: 3 })]);
  const settings = { DATABASE_URL: database.url, FLIGHT_FAILURE_RATE: '0', SUPPLIER_LATENCY_MS: '60000' };
  server = await spawnServer(settings);
  const callers = Array.from({ length: 50 }, (_, caller) => `caller-${caller}@example.com`);
  const purchases = callers.map((email) => buy(server.origin, 1, { email, key: email }));
  await expect.poll(waiting).toBe(callers.length - 3);

  expect(await server.end('SIGTERM')).toBe(0);
  const replies = await Promise.all(purchases);
  expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([202]));

  server = await spawnServer({ ...settings, SUPPLIER_LATENCY_MS: '0' });
  const client = new TicketClient(server.origin);
  const outcomes = await Promise.all(
    replies.map(({ order }, caller) =>
      client.waitForOutcome({ id: order?.id ?? '', email: callers[caller] ?? '' }),
    ),
  );
  const count = (wanted: string) => outcomes.filter(({ status }) => status === wanted).length;
  expect([count('confirmed'), count('rejected')]).toEqual([3, 47]);
});

async function waiting(): Promise<number> {
  const reply = await fetch(`${server.origin}/api/packages/1`);
  return ((await reply.json()) as { waiting: number }).waiting;
}
