import { afterEach, expect, test } from 'vitest';
import { type ApiReply, buy, lookUp } from '../support/api-client.ts';
import { runAudit } from '../support/audit.ts';
import { makeDatabase, onSale, type TestDatabase } from '../support/server.ts';
import { type ServerProcess, spawnServer } from '../support/server-process.ts';

const buyersCount = 500;
const quota = 5;

let database: TestDatabase;
let server: ServerProcess;

afterEach(async () => {
  await server.end('SIGKILL');
  await database.delete();
});

async function openSale(settings: Record<string, string> = {}): Promise<Record<string, string>> {
  database = await makeDatabase([onSale({ quota })]);
  const all = { DATABASE_URL: database.url, FLIGHT_FAILURE_RATE: '0.5', RATE_LIMIT: 'off', ...settings };
  server = await spawnServer(all);
  return all;
}

const email = (buyer: number) => `buyer-${buyer}@example.com`;
const everybody = <T>(act: (buyer: number) => Promise<T>) =>
  Promise.all(Array.from({ length: buyersCount }, (_, buyer) => act(buyer)));

async function inventory(): Promise<{ remaining: number; held: number; confirmed: number; waiting: number }> {
  return (await fetch(`${server.origin}/api/packages/1`)).json() as never;
}

test('Q1 Q3 Q4 Q5 Q8 500 buyers at once on a quota of 5: exactly 5 confirmed, the others refused or failed', async () => {
  const settings = await openSale();
  const replies = await everybody((buyer) =>
    buy(server.origin, 1, { email: email(buyer), key: `key-${buyer}` }),
  );
  const count = (status: number, code?: string) =>
    replies.filter((reply) => reply.status === status && reply.code === code).length;
  expect(count(201)).toBe(quota);
  const others = count(502, 'supplier_failed') + count(409, 'sold_out') + count(409, 'queue_full');
  expect(count(201) + others).toBe(buyersCount);
  expect(await inventory()).toMatchObject({ remaining: 0, held: 0, confirmed: quota, waiting: 0 });
  const { exitCode, report } = await runAudit(settings);
  expect(report.findings).toEqual([]);
  expect([exitCode, report.suppliersRead]).toEqual([0, true]);
});

test('Q6 Q7 Q8 after kill -9 during the sale all accepted orders are found and finished', async () => {
  const settings = await openSale({ SUPPLIER_LATENCY_MS: '40' });
  const heard: (ApiReply | undefined)[] = [];
  const sold = Promise.withResolvers<void>();
  const sale = everybody(async (buyer) => {
    heard[buyer] = await buy(server.origin, 1, { email: email(buyer), key: `key-${buyer}` }).catch(
      () => undefined,
    );
    if (heard[buyer]?.status === 201) sold.resolve();
  });
  await sold.promise;
  await server.end('SIGKILL');
  await sale;
  server = await spawnServer(settings);

  for (const [buyer, reply] of heard.entries()) {
    if (reply?.status !== 201 && reply?.status !== 202) continue;
    const found = await lookUp(server.origin, reply.order?.id ?? '', email(buyer));
    expect(found.status).toBe(200);
    if (reply.status === 201) expect(found.order).toEqual(reply.order);
  }
  const replies = await everybody((buyer) =>
    buy(server.origin, 1, { email: email(buyer), key: `key-${buyer}`, prefer: 'wait=20' }),
  );
  for (const [buyer, reply] of heard.entries()) {
    if (reply?.status === 201) expect(replies[buyer]).toEqual(reply);
  }
  expect(replies.filter(({ status }) => status === 201)).toHaveLength(quota);
  expect(await inventory()).toMatchObject({ remaining: 0, held: 0, confirmed: quota, waiting: 0 });
  const { report } = await runAudit(settings);
  expect(report.findings).toEqual([]);
});
