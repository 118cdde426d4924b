import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { sampleChange, sampleInventory, sampleOrder, samplePackage } from '../../../test/contract/samples.ts';
import { allPackages } from '../../../test/support/all-packages.ts';
import { type Mongod, startMongod } from '../../../test/support/servers/mongod.ts';
import { type MongodProxy, mongodProxy } from '../../../test/support/servers/mongod-proxy.ts';
import type { Fence } from '../../domain/messages.ts';
import type { Order } from '../../domain/order.ts';
import { CommitUnknownError, FencedError, StoreUnavailableError } from '../store.ts';
import { type MongoStore, openMongoStore } from './mongo-store.ts';

/** Long enough for several connections on a busy machine. */
const timeoutMs = 2_000;

let mongod: Mongod;
let proxy: MongodProxy;
/** The store under test, which connects through the proxy. */
let store: MongoStore;
/** Another instance, which connects without the proxy. */
let other: MongoStore;
/** The package of the current test. Each test has a package of its own. */
let packageId = 0;
let seqAtStart = 0;
let fence: Fence;

beforeAll(async () => {
  mongod = await startMongod();
  proxy = await mongodProxy(mongod.ports[0] as number);
  other = await openMongoStore({ url: mongod.url });
});
afterAll(async () => {
  await other.close();
  await proxy[Symbol.asyncDispose]();
  await mongod.stop();
});

beforeEach(async () => {
  proxy.decide(() => 'pass');
  store = await openMongoStore({
    url: `mongodb://127.0.0.1:${proxy.port}/?directConnection=true`,
    timeoutMs,
  });
  packageId += 1;
  await other.addPackages([samplePackage({ id: packageId })]);
  fence = (await store.takeOwnership(packageId, 'one'))!.fence;
  seqAtStart = fence.seq;
});
afterEach(() => store.close());

const next = (of: Fence): Fence => ({ ...of, seq: of.seq + 1 });

const order = (number: number): Order => sampleOrder(number, { packageId });

function commit(number: number, on = store, under = fence): Promise<void> {
  const inventory = sampleInventory({ waiting: number, nextNumber: number + 1 });
  return on.commit(packageId, under, sampleChange({ inventory, inserted: [order(number)] }));
}

/** The state that a new owner reads, with `seq` relative to the package's first seq. */
async function story(): Promise<{ seq: number; orders: number[]; nextNumber: number }> {
  const { fence: found, unfinished, inventory } = (await other.takeOwnership(packageId, 'two'))!;
  const orders = unfinished.map(({ number }) => number);
  return { seq: found.seq - seqAtStart, orders, nextNumber: inventory.nextNumber };
}

/** Breaks the connection at the first `times` commands with this name. */
function breakAt(command: string, fate: 'cut' | 'cut the reply', times: number): void {
  let left = times;
  proxy.decide((name) => (name === command && left-- > 0 ? fate : 'pass'));
}

describe('a commit without an answer', () => {
  test('is repeated and succeeds, if the answer was lost once', async () => {
    breakAt('commitTransaction', 'cut the reply', 1);
    await commit(1);
    fence = next(fence);
    await commit(2);
    expect(await story()).toEqual({ seq: 2, orders: [1, 2], nextNumber: 3 });
  });

  test('is repeated and succeeds, if the request was lost once', async () => {
    breakAt('commitTransaction', 'cut', 1);
    await commit(1);
    expect(await story()).toEqual({ seq: 1, orders: [1], nextNumber: 2 });
  });

  test('is repeated until it is answered', async () => {
    breakAt('commitTransaction', 'cut the reply', 4);
    await commit(1);
    expect(await story()).toEqual({ seq: 1, orders: [1], nextNumber: 2 });
  });

  test('has an unknown outcome if the store is closed meanwhile', async () => {
    let closed: Promise<void> | undefined;
    proxy.decide((name) => {
      if (name !== 'commitTransaction') return 'pass';
      closed = store.close();
      return 'cut the reply';
    });
    await expect(commit(1)).rejects.toBeInstanceOf(CommitUnknownError);
    await closed;
    const { seq, orders } = await story();
    expect(orders).toEqual(seq === 1 ? [1] : []);
  });

  test('has an unknown outcome after the timeout; taking ownership again shows that it was applied', async () => {
    breakAt('commitTransaction', 'cut the reply', Number.POSITIVE_INFINITY);
    await expect(commit(1)).rejects.toBeInstanceOf(CommitUnknownError);
    expect(await story()).toEqual({ seq: 1, orders: [1], nextNumber: 2 });
  });

  test('has an unknown outcome after the timeout; taking ownership again shows that it was not applied', async () => {
    breakAt('commitTransaction', 'cut', Number.POSITIVE_INFINITY);
    await expect(commit(1)).rejects.toBeInstanceOf(CommitUnknownError);
    expect(await story()).toEqual({ seq: 0, orders: [], nextNumber: 1 });
  });

  test('does not keep the same instance from taking the package again', async () => {
    breakAt('commitTransaction', 'cut', Number.POSITIVE_INFINITY);
    await expect(commit(1)).rejects.toBeInstanceOf(CommitUnknownError);
    proxy.decide(() => 'pass');
    const again = (await store.takeOwnership(packageId, 'one'))!;
    // The commit in flight may still have been applied, but only before the new epoch.
    expect(again.unfinished).toHaveLength(again.fence.seq - seqAtStart);
    await commit(2, store, again.fence);
    expect((await story()).seq).toBe(again.fence.seq - seqAtStart + 1);
    await expect(commit(3)).rejects.toBeInstanceOf(FencedError);
  });
});

describe('a commit that breaks before it is sent', () => {
  test.each([
    ['update', 'cut'],
    ['update', 'cut the reply'],
    ['insert', 'cut'],
    ['insert', 'cut the reply'],
  ] as const)('at its %s (%s) was not applied, and the next commit works', async (command, fate) => {
    breakAt(command, fate, 1);
    await expect(commit(1)).rejects.toBeInstanceOf(StoreUnavailableError);
    expect(await other.order(order(1).id)).toBeUndefined();
    await commit(2);
    expect(await story()).toEqual({ seq: 1, orders: [2], nextNumber: 3 });
  });

  test('and cannot be aborted was not applied, and the next commit works', async () => {
    proxy.decide((name) => (name === 'insert' || name === 'abortTransaction' ? 'cut' : 'pass'));
    await expect(commit(1)).rejects.toBeInstanceOf(StoreUnavailableError);
    proxy.decide(() => 'pass');
    await commit(2);
    expect(await story()).toEqual({ seq: 1, orders: [2], nextNumber: 3 });
  });
});

test.each(['insert', 'update', 'findAndModify', 'find'])(
  'any other call that breaks at its %s repeatedly reports that the store is unavailable',
  async (command) => {
    breakAt(command, 'cut', Number.POSITIVE_INFINITY);
    const call = {
      insert: () => store.addPackages([samplePackage({ id: 1_000 })]),
      update: () => store.ledger.cancel('flights', 'A'),
      findAndModify: () => store.takeOwnership(packageId, 'one'),
      find: () => store.package(packageId),
    }[command];
    await expect(call?.()).rejects.toBeInstanceOf(StoreUnavailableError);
  },
);

describe('Q6 an owner that crashes or freezes during a transaction', () => {
  test('does not lock the package for the next owner', async () => {
    // The transaction stays open on the server, which would keep it for a minute.
    proxy.decide((name) => (name === 'insert' || name === 'abortTransaction' ? 'cut' : 'pass'));
    await expect(commit(1)).rejects.toBeInstanceOf(StoreUnavailableError);
    expect(await story()).toEqual({ seq: 0, orders: [], nextNumber: 1 });
    proxy.decide(() => 'pass');
    await expect(commit(2)).rejects.toBeInstanceOf(FencedError);
  });
});

describe('Q9 the commit of an owner that is being replaced', () => {
  test.each([
    ['alone', []],
    ['together with another', [1_002]],
  ] as const)('is either applied before the takeover of its package %s, or not at all', async (_, others) => {
    await other.addPackages(others.map((id) => samplePackage({ id })));
    const takeOver = async () => {
      const claimed = [packageId, ...others].map((id) => other.takeOwnership(id, 'new'));
      return (await Promise.all(claimed))[0];
    };
    let applied = 0;
    for (let round = 0; round < 60; round++) {
      const held = (await store.takeOwnership(packageId, 'stale'))!.fence;
      const number = 1_000 + round;
      const late = Math.floor((round % 12) / 3);
      const delayed = async <T>(isLate: boolean, on: MongoStore, call: () => Promise<T>) => {
        for (let step = 0; isLate && step < late; step++) await on.ping();
        return call();
      };
      const [committed, taken] = await Promise.all([
        delayed(round % 2 === 0, store, () => outcomeOf(commit(number, store, held))),
        delayed(round % 2 === 1, other, takeOver),
      ]);
      const seen = taken!.unfinished.some((found) => found.number === number);
      const again = await story();
      expect(again.orders.includes(number), 'it appeared after the take-over').toBe(seen);
      expect(seen, committed).toBe(committed === 'done');
      expect(taken!.fence.seq - held.seq).toBe(seen ? 1 : 0);
      expect(taken!.inventory.waiting === number).toBe(seen);
      if (!seen) expect(['FencedError', 'StoreUnavailableError']).toContain(committed);
      if (seen) applied += 1;
      await expect(commit(number + 10_000, store, held)).rejects.toBeInstanceOf(FencedError);
    }
    // Both outcomes must have occurred. Otherwise there was no race.
    expect(applied).toBeGreaterThan(0);
    expect(applied).toBeLessThan(60);
  });
});

describe('a hanging server', () => {
  test('makes every call fail after the timeout, and is used again when it answers', async () => {
    const calls = {
      package: () => store.package(packageId),
      packages: () => allPackages(store),
      order: () => store.order(order(1).id),
      ordersByKey: () => store.ordersByKey(packageId, ['key-1']),
      ordersPage: () => store.ordersPage(packageId, undefined, 10),
      liveOrdersByEmail: () => store.liveOrdersByEmail(packageId, ['buyer1@example.com']),
      packagesWithUnfinished: () => store.packagesWithUnfinished(),
      addPackages: () => store.addPackages([samplePackage({ id: 1_000 })]),
      takeOwnership: () => store.takeOwnership(packageId, 'one'),
      commit: () => commit(1),
      setting: () => store.setting('secret', () => 'value'),
      ping: () => store.ping(),
      snapshot: async () => (await store.snapshot())?.package(packageId),
      record: () =>
        store.ledger.record('flights', {
          ...{ key: 'A', number: 'F-A', status: 'active', subject: 'Flight-1', packageId: 1 },
        }),
      find: () => store.ledger.find('flights', 'A'),
      cancel: () => store.ledger.cancel('flights', 'A'),
      page: () => store.ledger.page('flights', undefined, 10),
    };
    mongod.freeze(0);
    try {
      const since = performance.now();
      const outcomes = await Promise.all(
        Object.entries(calls).map(([name, call]) =>
          call().then(
            () => `${name} answered`,
            (error: Error) => `${name} ${error.name}`,
          ),
        ),
      );
      expect(performance.now() - since).toBeLessThan(4 * timeoutMs);
      expect(outcomes).toEqual(Object.keys(calls).map((name) => `${name} StoreUnavailableError`));
      expect(await outcomeOf(commit(2))).toBe('StoreUnavailableError');
    } finally {
      mongod.thaw(0);
    }
    await expect.poll(() => outcomeOf(store.ping())).toBe('done');
    // The frozen server still carries out the takeover that it got.
    const again = async () => {
      const { fence: fresh } = (await store.takeOwnership(packageId, 'one'))!;
      expect(fresh.seq).toBe(seqAtStart);
      await commit(3, store, fresh);
    };
    await expect.poll(() => outcomeOf(again())).toBe('done');
    expect(await story()).toEqual({ seq: 1, orders: [3], nextNumber: 4 });
  });

  test('gives a commit an unknown outcome after the timeout', async () => {
    proxy.decide((name) => {
      if (name === 'commitTransaction') mongod.freeze(0);
      return 'pass';
    });
    try {
      const since = performance.now();
      expect(await outcomeOf(commit(1))).toBe('CommitUnknownError');
      expect(performance.now() - since).toBeLessThan(4 * timeoutMs);
    } finally {
      proxy.decide(() => 'pass');
      mongod.thaw(0);
    }
    const { seq, orders } = await story();
    expect(orders).toEqual(seq === 1 ? [1] : []);
  });

  test('does not prevent the store from closing', async () => {
    mongod.freeze(0);
    try {
      const call = outcomeOf(store.ping());
      await store.close();
      expect(await call).toBe('StoreUnavailableError');
      expect(await outcomeOf(store.ping())).toBe('StoreUnavailableError');
    } finally {
      mongod.thaw(0);
    }
  });
});

test('a server that ends and restarts is used again', async () => {
  // The timeout is long, so that the driver reports first that there is no server.
  const patient = await openMongoStore({ url: mongod.url, timeoutMs: 4_000 });
  await commit(1);
  await mongod.kill(0);
  const calls = [
    () => store.order(order(1).id),
    () => commit(2, store, next(fence)),
    () => patient.order(order(1).id),
    () => patient.takeOwnership(packageId, 'patient'),
  ];
  for (const outcome of await Promise.all(calls.map((call) => outcomeOf(call())))) {
    expect(outcome).toBe('StoreUnavailableError');
  }
  expect(await outcomeOf(patient.addPackages([samplePackage({ id: 1_001 })]))).toBe('StoreUnavailableError');
  await mongod.restart(0);
  await expect.poll(() => outcomeOf(store.ping()), { timeout: 20_000 }).toBe('done');
  expect(await store.order(order(1).id)).toEqual(order(1));
  await expect.poll(() => outcomeOf(commit(2, store, next(fence))), { timeout: 20_000 }).toBe('done');
  expect(await story()).toEqual({ seq: 2, orders: [1, 2], nextNumber: 3 });
  await patient.close();
});

function outcomeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'done',
    (error: Error) => (error.name === 'Error' ? error.message : error.name),
  );
}
