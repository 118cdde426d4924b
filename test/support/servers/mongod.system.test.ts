import { MongoClient } from 'mongodb';
import { expect, it } from 'vitest';
import { startMongod } from './mongod.ts';

it('starts a replica set with transactions, elections and restarts of a killed member', async () => {
  await using mongod = await startMongod({ members: 3 });
  await using client = new MongoClient(mongod.url, { serverSelectionTimeoutMS: 10_000 });
  const numbers = client.db('test').collection<{ _id: number }>('numbers');
  const insert = (...ids: number[]) =>
    client.withSession((session) =>
      session.withTransaction(() =>
        numbers.insertMany(
          ids.map((_id) => ({ _id })),
          { session },
        ),
      ),
    );
  await insert(1, 2);
  const term = async () => (await client.db('admin').command({ replSetGetStatus: 1 })).term as number;
  const before = await term();
  await mongod.stepDown();
  const second = await mongod.primary();
  // On a busy machine the old primary may be elected again.
  await expect.poll(term).toBeGreaterThan(before);
  await insert(3);
  await mongod.kill(second);
  expect(await mongod.primary()).not.toBe(second);
  await insert(4);
  await mongod.restart(second);
  expect(await numbers.countDocuments()).toBe(4);
});
