import { beforeEach, describe, expect, test } from 'vitest';
import { sampleChange, sampleOrder, samplePackage } from '../../../test/contract/samples.ts';
import { mongodOfFile } from '../../../test/support/servers/mongod-of-file.ts';
import { mongodProxy } from '../../../test/support/servers/mongod-proxy.ts';
import type { Fence } from '../../domain/messages.ts';
import { type MongoStore, openMongoStore } from './mongo-store.ts';

const packageIds = Array.from({ length: 20 }, (_, index) => index + 1);

const mongo = mongodOfFile();
let store: MongoStore;
let fences: Map<number, Fence>;

beforeEach(async () => {
  await mongo.raw.db('ticket-booking').dropDatabase();
  store = await openMongoStore({ url: mongo.server.url });
  await store.addPackages(packageIds.map((id) => samplePackage({ id })));
  fences = new Map();
  for (const id of packageIds) fences.set(id, (await store.takeOwnership(id, 'one'))!.fence);
  return () => store.close();
});

/** Commits an order of each package at the same time. */
function sellOneOfEach(ids: readonly number[], on = store): Promise<PromiseSettledResult<void>[]> {
  return Promise.allSettled(
    ids.map((packageId) =>
      on.commit(packageId, fences.get(packageId)!, sampleChange({ inserted: [orderOf(packageId)] })),
    ),
  );
}

function orderOf(packageId: number) {
  return sampleOrder(1, { id: `ORDER-${packageId}`, packageId, status: 'held' });
}

async function stored(): Promise<number[]> {
  const orders = await store.orders(packageIds.map((id) => orderOf(id).id));
  return orders.map(({ packageId }) => packageId).sort((one, other) => one - other);
}

async function transactions(): Promise<number> {
  const { transactions: counted } = await mongo.raw.db('admin').command({ serverStatus: 1 });
  return Number(counted.totalCommitted);
}

describe('commits of several packages at once', () => {
  test('share one transaction', async () => {
    const before = await transactions();
    const outcomes = await sellOneOfEach(packageIds);
    expect(outcomes.every(({ status }) => status === 'fulfilled')).toBe(true);
    expect(await stored()).toEqual(packageIds);
    expect((await transactions()) - before).toBeLessThanOrEqual(2);
  });

  test('Q9 only the fenced commit is refused, and it writes nothing', async () => {
    await store.takeOwnership(7, 'another');
    const outcomes = await sellOneOfEach(packageIds);
    const refused = outcomes.flatMap((outcome, index) =>
      outcome.status === 'rejected' ? [{ id: packageIds[index], error: outcome.reason.name }] : [],
    );
    expect(refused).toEqual([{ id: 7, error: 'FencedError' }]);
    expect(await stored()).toEqual(packageIds.filter((id) => id !== 7));
  });

  test('only a commit that updates a missing order fails, and the next commit of its package succeeds', async () => {
    const strange = sampleChange({ updated: [orderOf(3)] });
    const failing = store.commit(3, fences.get(3)!, strange).catch((error: Error) => error.message);
    const others = await sellOneOfEach(packageIds.filter((id) => id !== 3));
    expect(await failing).toContain('not there as they should be');
    expect(others.every(({ status }) => status === 'fulfilled')).toBe(true);
    expect((await sellOneOfEach([3]))[0]?.status).toBe('fulfilled');
    expect(await stored()).toEqual(packageIds);
  });

  test('Q6 Q9 an open transaction of an isolated owner is ended by the next owner', async () => {
    await using proxy = await mongodProxy(mongo.server.ports[0] as number);
    const cutOff = await openMongoStore({
      url: `mongodb://127.0.0.1:${proxy.port}/?directConnection=true`,
      timeoutMs: 1_000,
    });
    const both = [1, 2];
    for (const id of both) fences.set(id, (await cutOff.takeOwnership(id, 'cut off'))!.fence);
    // The transaction stays open on the server, which would lock both packages for a minute.
    proxy.decide((name) => (name === 'insert' || name === 'abortTransaction' ? 'cut' : 'pass'));
    for (const { status } of await sellOneOfEach(both, cutOff)) expect(status).toBe('rejected');
    for (const id of both) {
      const taken = await store.takeOwnership(id, 'next');
      expect(taken?.unfinished).toEqual([]);
      fences.set(id, taken!.fence);
    }
    for (const { status } of await sellOneOfEach(both)) expect(status).toBe('fulfilled');
    await cutOff.close();
  });

  test('Q6 an open transaction of the same process does not lock its packages', async () => {
    await using proxy = await mongodProxy(mongo.server.ports[0] as number);
    const url = `mongodb://127.0.0.1:${proxy.port}/?directConnection=true`;
    const shaky = await openMongoStore({ url, timeoutMs: 1_000 });
    const both = [1, 2];
    for (const id of both) fences.set(id, (await shaky.takeOwnership(id, 'shaky'))!.fence);
    proxy.decide((name) => (name === 'insert' || name === 'abortTransaction' ? 'cut' : 'pass'));
    for (const { status } of await sellOneOfEach(both, shaky)) expect(status).toBe('rejected');
    proxy.decide(() => 'pass');
    const sold = async () => (await sellOneOfEach(both, shaky)).map(({ status }) => status);
    await expect.poll(sold, { timeout: 10_000 }).toEqual(['fulfilled', 'fulfilled']);
    await shaky.close();
  });

  test('Q6 a hanging session is replaced, and taking ownership again stores the new session in the package', async () => {
    const timeoutMs = 1_000;
    const hasty = await openMongoStore({ url: mongo.server.url, timeoutMs });
    const both = [1, 2];
    for (const id of both) fences.set(id, (await hasty.takeOwnership(id, 'hasty'))!.fence);
    mongo.server.freeze(0);
    const outcomes = await sellOneOfEach(both, hasty);
    // Wait longer than a turn may take, so that the session is replaced.
    await new Promise((resolve) => setTimeout(resolve, 2 * timeoutMs));
    mongo.server.thaw(0);
    for (const { status } of outcomes) expect(status).toBe('rejected');
    const [untaken] = await sellOneOfEach([1], hasty);
    expect(untaken).toMatchObject({ status: 'rejected', reason: { name: 'CommitUnknownError' } });
    const retaken = async () => {
      for (const id of both) {
        const taken = await hasty.takeOwnership(id, 'hasty').catch(() => undefined);
        if (taken === undefined) return [];
        fences.set(id, taken.fence);
      }
      return (await sellOneOfEach(both, hasty)).map(({ status }) => status);
    };
    await expect.poll(retaken, { timeout: 10_000 }).toEqual(['fulfilled', 'fulfilled']);
    await hasty.close();
  });

  test('Q6 an open transaction of a killed process without ownership is ended by the next process that commits', async () => {
    await using proxy = await mongodProxy(mongo.server.ports[0] as number);
    const url = `mongodb://127.0.0.1:${proxy.port}/?directConnection=true`;
    const killed = await openMongoStore({ url, timeoutMs: 1_000 });
    proxy.decide((name) => (name === 'insert' || name === 'abortTransaction' ? 'cut' : 'pass'));
    for (const { status } of await sellOneOfEach([1], killed)) expect(status).toBe('rejected');
    await killed.close();
    const sold = async () => (await sellOneOfEach([1])).map(({ status }) => status);
    expect(await sold()).toEqual(['rejected']);
    // Without that, the server ends the transaction after a minute.
    await expect.poll(sold, { timeout: 20_000, interval: 100 }).toEqual(['fulfilled']);
  });
});
