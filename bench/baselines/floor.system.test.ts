import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Mongod, startMongod } from '../../test/support/servers/mongod.ts';
import { byStatus, startBaseline } from './started.ts';

let mongod: Mongod;
let folder: string;
beforeAll(async () => {
  mongod = await startMongod();
  folder = await mkdtemp(join(tmpdir(), 'ticket-booking-floor-'));
});
afterAll(async () => {
  await mongod.stop();
  await rm(folder, { recursive: true, force: true });
});

const file = () => join(folder, 'floor.db');
const stores = {
  'floor-sqlite': {
    url: () => `sqlite:${file()}`,
    async removeOne(table: 'orders' | 'ledger') {
      using db = new DatabaseSync(file());
      const key = { orders: 'id', ledger: 'number' }[table];
      db.exec(`DELETE FROM ${table} WHERE ${key} = (SELECT max(${key}) FROM ${table})`);
    },
  },
  'floor-mongodb': {
    url: () => mongod.url,
    async removeOne(table: 'orders' | 'ledger') {
      await using client = new MongoClient(mongod.url);
      await client.db('bench-floor').collection(table).deleteOne({});
    },
  },
} as const;

describe.each(Object.keys(stores) as (keyof typeof stores)[])('%s', (name) => {
  const { url, removeOne } = stores[name];
  const start = (quota: number) => startBaseline(name, [{ id: 1, quota }], { DATABASE_URL: url() });

  test('sells each unit once, refuses the rest, and passes its audit', async () => {
    await using floor = await start(5);
    const answers = await Promise.all(Array.from({ length: 40 }, () => floor.buy(1)));
    expect(byStatus(answers)).toEqual({ 201: 5, 409: 35 });
    const orders = answers.filter(({ status }) => status === 201).map(({ body }) => body);
    expect(new Set(orders.map(({ id }) => id)).size).toBe(5);
    expect(orders[0]).toMatchObject({ packageId: 1, email: 'ada@example.com', status: 'confirmed' });
    expect(answers.find(({ status }) => status === 409)?.body).toMatchObject({ code: 'sold_out' });
    expect(await floor.audit()).toEqual({
      verdict: 'clean',
      detail: 'remaining + 5 orders = quota, with their reservations',
    });
    expect(await floor.buy(2)).toMatchObject({ status: 404, body: { code: 'unknown_package' } });
    expect(await floor.post('{')).toMatchObject({ status: 422, body: { code: 'invalid' } });
    expect(await floor.end()).toBe(0);
  });

  test('fails its audit if an answered order, or a reservation, is not stored', async () => {
    for (const [table, detail] of [
      ['orders', 'package 1: 1 remaining + 1 orders ≠ quota 3'],
      ['ledger', '2 orders have 3 reservations'],
    ] as const) {
      await using floor = await start(3);
      await floor.buy(1);
      await floor.buy(1);
      await removeOne(table);
      expect(await floor.audit()).toEqual({ verdict: 'void', detail });
    }
  });
});
