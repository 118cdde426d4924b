import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Mongod, startMongod } from '../../test/support/servers/mongod.ts';
import { byStatus, startBaseline } from './started.ts';

let mongod: Mongod;
beforeAll(async () => {
  mongod = await startMongod();
});
afterAll(() => mongod.stop());

const start = (quota: number) => startBaseline('atomic', [{ id: 1, quota }], { DATABASE_URL: mongod.url });

test('atomic sells each unit once, refuses the rest, and passes its audit', async () => {
  await using atomic = await start(5);
  const answers = await Promise.all(Array.from({ length: 40 }, (_, index) => atomic.buy(1, `key-${index}`)));
  expect(byStatus(answers)).toEqual({ 201: 5, 409: 35 });
  expect(answers.find(({ status }) => status === 409)?.body).toMatchObject({ code: 'sold_out' });
  expect(await atomic.audit()).toEqual({ verdict: 'clean', detail: 'remaining + 5 orders = quota' });
  expect(await atomic.buy(2, 'key')).toMatchObject({ status: 404, body: { code: 'unknown_package' } });
  expect(await atomic.end()).toBe(0);
});

test('atomic returns the same order for the same key, also when sold out, and takes one unit', async () => {
  await using atomic = await start(2);
  const answers = await Promise.all([atomic.buy(1, 'mine'), atomic.buy(1, 'mine')]);
  const { body: first } = await atomic.buy(1, 'mine');
  expect(answers).toEqual([
    { status: 201, body: first },
    { status: 201, body: first },
  ]);
  expect(await atomic.buy(1, 'mine', 'bob@example.com')).toMatchObject({ status: 422 });
  expect(await atomic.buy(1)).toMatchObject({ status: 201 });
  expect(await atomic.buy(1)).toMatchObject({ status: 409 });
  expect(await atomic.buy(1, 'mine')).toEqual({ status: 201, body: first });
  expect(await atomic.audit()).toMatchObject({ verdict: 'clean' });
});

test('atomic fails its audit if an order has no unit', async () => {
  await using atomic = await start(2);
  await atomic.buy(1);
  await using client = new MongoClient(mongod.url);
  await client
    .db('bench-atomic')
    .collection('packages')
    .updateMany({}, { $inc: { remaining: 1 } });
  expect(await atomic.audit()).toEqual({
    verdict: 'void',
    detail: 'package 1: 2 remaining + 1 orders ≠ quota 2',
  });
});
