import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { fakeSnapshot } from '../../../test/support/fake-engine.ts';
import { ScriptedSuppliers } from '../../../test/support/scripted-suppliers.ts';
import { makeDatabase, onSale, type TestDatabase } from '../../../test/support/server.ts';
import type { Messages } from '../../cluster/messages.ts';
import type { Order } from '../../domain/order.ts';
import type { TravelPackage } from '../../domain/travel-package.ts';
import { systemClock } from '../../lib/clock.ts';
import { systemRandom } from '../../lib/random.ts';
import { silentLog } from '../../observability/log.ts';
import { localLiveBus } from '../../realtime/live-bus.ts';
import { openSqliteStore, type SqliteStore } from '../../storage/sqlite/sqlite-store.ts';
import { StoreUnavailableError } from '../../storage/store.ts';
import { ActorEngine, type ActorEngineOptions } from './actor-engine.ts';

let database: TestDatabase;
let store: SqliteStore;
let engine: ActorEngine;
let suppliers: ScriptedSuppliers;

async function start(options: Partial<ActorEngineOptions> = {}): Promise<void> {
  store = openSqliteStore({ file: database.url.replace('sqlite:', '') });
  suppliers = new ScriptedSuppliers();
  engine = makeEngine(options);
  await engine.start();
}

function makeEngine(options: Partial<ActorEngineOptions> = {}): ActorEngine {
  return new ActorEngine({
    store,
    suppliers,
    liveBus: localLiveBus(),
    clock: systemClock,
    random: systemRandom(),
    log: silentLog,
    instance: 'test',
    rules: { waitersPerUnit: 2, waitersMax: 100, ordersPerEmail: 0, rejectionsMax: 100 },
    snapshotMaxAgeMs: Number.POSITIVE_INFINITY,
    ...options,
  });
}

async function stop(): Promise<void> {
  await engine.drain();
  await store.close();
}

async function onSaleAre(...packages: Partial<TravelPackage>[]): Promise<void> {
  database = await makeDatabase(packages.map(onSale));
  await start();
}

beforeEach(() => onSaleAre({ quota: 1 }));
afterEach(async () => {
  await stop();
  await database.delete();
});

const email = 'a@example.com';

async function accepted(purchase: ReturnType<ActorEngine['purchase']>): Promise<Order> {
  const answer = await purchase;
  if (answer.kind !== 'accepted') throw new Error(`refused: ${answer.code}`);
  return answer.order;
}

const asked = (count: number) => vi.waitFor(() => expect(suppliers.flights).toHaveLength(count));

describe('purchases', () => {
  test("an order's id begins with the time, before random bits", async () => {
    const random = { bytes: (count: number) => new Uint8Array(count), fraction: () => 0 };
    engine = makeEngine({ random, clock: { ...systemClock, now: () => 100 } });
    const { id } = await accepted(engine.purchase({ packageId: 1, email }));
    expect(id).toBe('000G-0000-0000-0000');
    suppliers.answerFlight();
  });

  test('Q2 Q6 the claim is stored before the flight is requested, and the outcome follows', async () => {
    const order = await accepted(engine.purchase({ packageId: 1, email }));
    expect(await store.order(order.id)).toMatchObject({ status: 'held' });
    await asked(1);
    suppliers.answerFlight();
    const outcome = await engine.outcome(order, { waitMs: 5_000 });
    expect(outcome).toMatchObject({ status: 'confirmed', flight: { ticketNumber: 'F1' } });
    expect(await store.order(order.id)).toEqual(outcome);
  });

  test('Q5 after a slow flight fails, the next buyer gets the unit, and the first buyer’s key still returns the failed order', async () => {
    const first = await accepted(engine.purchase({ packageId: 1, email, key: 'first' }));
    const second = await accepted(engine.purchase({ packageId: 1, email: 'b@example.com', key: 'second' }));
    expect([first.status, second.status]).toEqual(['held', 'queued']);
    expect(engine.queuePosition(second)).toBe(1);
    await asked(1);
    suppliers.answerFlight({ kind: 'refused', code: 'flight_unavailable' });
    await asked(1);
    suppliers.answerFlight();
    expect(await engine.outcome(second, { waitMs: 5_000 })).toMatchObject({ status: 'confirmed' });
    const again = await accepted(engine.purchase({ packageId: 1, email, key: 'first' }));
    expect(again).toMatchObject({ id: first.id, status: 'failed', reason: 'flight_unavailable' });
  });

  test('the wait in a queue is estimated from what the live bus tells of the queue', () => {
    const liveBus = localLiveBus();
    let now = 0;
    const watching = makeEngine({ liveBus, clock: { ...systemClock, monotonic: () => now } });
    for (let head = 1; head <= 30; head++) {
      now += 1_000;
      liveBus.publishQueue({ packageId: 1, first: [head, head + 1], all: [head, head + 1] });
    }
    const wait = watching.estimatedWait(1, 10);
    expect(wait?.minSeconds).toBeLessThanOrEqual(10);
    expect(wait?.maxSeconds).toBeGreaterThanOrEqual(10);
    expect(watching.estimatedWait(2, 10)).toBeUndefined();

    // Of a queue that cannot move, no wait is known.
    liveBus.publishPackage(fakeSnapshot({ version: 2, paused: true }));
    expect(watching.estimatedWait(1, 10)).toBeUndefined();
    liveBus.publishPackage(fakeSnapshot({ version: 3 }));
    expect(watching.estimatedWait(1, 10)).toEqual(wait);
    suppliers.setAvailable(false);
    expect(watching.estimatedWait(1, 10)).toBeUndefined();
    watching.close();
  });

  test('Q7 one key sent many times at once makes one order, also for the last unit', async () => {
    await accepted(engine.purchase({ packageId: 1, email }));
    await accepted(engine.purchase({ packageId: 1, email }));
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => accepted(engine.purchase({ packageId: 1, email, key: 'k' }))),
    );
    expect(new Set(answers.map((order) => order.id)).size).toBe(1);
    expect(await engine.purchase({ packageId: 1, email })).toEqual({ kind: 'refused', code: 'queue_full' });
    expect(await accepted(engine.purchase({ packageId: 1, email, key: 'k' }))).toMatchObject({
      id: answers[0]?.id,
    });
    const other = await engine.purchase({ packageId: 1, email: 'b@example.com', key: 'k' });
    expect(other).toEqual({ kind: 'refused', code: 'key_reused' });
  });

  test('Q7 a repeated key joins a purchase that waits for its commit, even if the sale closes meanwhile', async () => {
    await stop();
    await database.delete();
    const closesAt = Date.now() + 60_000;
    await onSaleAre({ closesAt });
    const gate = Promise.withResolvers<void>();
    const commit = store.commit.bind(store);
    const commits = vi.spyOn(store, 'commit').mockImplementation(async (...change) => {
      await gate.promise;
      return commit(...change);
    });
    const buy = () => accepted(engine.purchase({ packageId: 1, email, key: 'k' }));
    const first = buy();
    await vi.waitFor(() => expect(commits).toHaveBeenCalled());
    const now = vi.spyOn(systemClock, 'now').mockReturnValue(closesAt);
    const second = buy();
    gate.resolve();
    expect((await second).id).toBe((await first).id);
    now.mockRestore();
  });

  test('an unknown package is refused', async () => {
    expect(await engine.purchase({ packageId: 9, email })).toEqual({
      kind: 'refused',
      code: 'unknown_package',
    });
  });

  test('Q6 a purchase waits while the store is away, and is stored afterwards', async () => {
    const away = vi.spyOn(store, 'commit').mockRejectedValue(new StoreUnavailableError('away'));
    const purchase = engine.purchase({ packageId: 1, email });
    await vi.waitFor(() => expect(away).toHaveBeenCalled());
    away.mockRestore();
    expect(await accepted(purchase)).toMatchObject({ status: 'held' });
  });
});

describe('callers who hang up', () => {
  test.each([
    ['without a key the order leaves the queue', undefined, 'withdrawn'],
    ['with a key the order keeps its position', 'k', 'queued'],
  ])('%s', async (_, key, status) => {
    await accepted(engine.purchase({ packageId: 1, email }));
    const gone = new AbortController();
    const request = { packageId: 1, email, ...(key === undefined ? {} : { key }) };
    const order = await accepted(engine.purchase(request));
    const outcome = engine.outcome(order, { waitMs: 60_000, gone: gone.signal });
    gone.abort();
    await outcome;
    // The mailbox is processed in sequence, so the withdrawal is done once this later purchase is accepted.
    await accepted(engine.purchase({ packageId: 1, email: 'b@example.com' }));
    expect(await engine.order(order.id)).toMatchObject({ status });
  });
});

describe('cancelling', () => {
  test('Q2 Q8 a confirmed order is cancelled at both suppliers, and its unit is sold again', async () => {
    const order = await accepted(engine.purchase({ packageId: 1, email }));
    expect(await engine.cancel(order)).toMatchObject({ kind: 'refused', code: 'in_progress' });
    await asked(1);
    suppliers.answerFlight();
    const confirmed = await engine.outcome(order, { waitMs: 5_000 });
    const cancelling = await accepted(engine.cancel(confirmed));
    expect(await engine.outcome(cancelling, { waitMs: 5_000 })).toMatchObject({ status: 'cancelled' });
    expect(suppliers.cancelled.map(({ kind }) => kind).sort()).toEqual(['flights', 'hotels']);
    expect(await accepted(engine.purchase({ packageId: 1, email }))).toMatchObject({ status: 'held' });
  });

  test('an order that is archived while its cancellation is decided is unknown, and the sale goes on', async () => {
    const order = await accepted(engine.purchase({ packageId: 1, email }));
    await asked(1);
    suppliers.answerFlight();
    const confirmed = await engine.outcome(order, { waitMs: 5_000 });
    const commit = store.commit.bind(store);
    vi.spyOn(store, 'commit').mockImplementationOnce(async (...parameters) => {
      expect(await store.archive.removeOrders(1, [confirmed], [])).toBe(1);
      return commit(...parameters);
    });
    expect(await engine.cancel(confirmed)).toMatchObject({ kind: 'refused', code: 'unknown_order' });
    expect(await engine.purchase({ packageId: 1, email })).toMatchObject({ code: 'sold_out' });
  });
});

describe('recovery', () => {
  test('Q5 Q6 a new owner resumes held orders with the same key, keeps the queue, and continues compensations', async () => {
    await stop();
    await database.delete();
    await onSaleAre({ quota: 2 });
    const buyers = ['a', 'b', 'c', 'd'].map((name) => `${name}@example.com`);
    const orders: Order[] = [];
    for (const buyer of buyers)
      orders.push(await accepted(engine.purchase({ packageId: 1, email: buyer, key: buyer })));
    await asked(2);
    vi.spyOn(suppliers, 'cancel').mockResolvedValue(false);
    suppliers.answerFlight({ kind: 'unknown', cause: 'time-out' });
    await vi.waitFor(async () =>
      expect(await store.order(orders[0]?.id ?? '')).toMatchObject({ status: 'compensating' }),
    );
    await stop();

    await start();
    await vi.waitFor(() => expect(suppliers.cancelled).toHaveLength(2));
    await asked(2);
    expect(suppliers.flightKeys).toEqual([orders[1]?.id, orders[2]?.id]);
    suppliers.answerFlight();
    suppliers.answerFlight();
    for (const [index, status] of ['failed', 'confirmed', 'confirmed', 'rejected'].entries()) {
      expect(await engine.outcome(orders[index] as Order, { waitMs: 5_000 })).toMatchObject({ status });
    }
  });

  test('Q8 a new owner finishes the cancellation of an order', async () => {
    const order = await accepted(engine.purchase({ packageId: 1, email }));
    await asked(1);
    suppliers.answerFlight();
    const confirmed = await engine.outcome(order, { waitMs: 5_000 });
    vi.spyOn(suppliers, 'cancel').mockResolvedValue(false);
    expect(await accepted(engine.cancel(confirmed))).toMatchObject({ status: 'cancelling' });
    await stop();

    await start();
    expect(await engine.outcome(order, { waitMs: 5_000 })).toMatchObject({ status: 'cancelled' });
    expect(suppliers.cancelled.map(({ kind }) => kind).sort()).toEqual(['flights', 'hotels']);
  });

  test('Q4 a queue that waited for the suppliers is served after a restart, without another purchase', async () => {
    suppliers.setAvailable(false);
    const order = await accepted(engine.purchase({ packageId: 1, email, key: 'k' }));
    expect(order.status).toBe('queued');
    await stop();

    await start();
    await asked(1);
    expect(suppliers.flightKeys).toEqual([order.id]);
  });
});

test('Q4 while the suppliers are away no unit is claimed and no order is rejected', async () => {
  suppliers.setAvailable(false);
  const order = await accepted(engine.purchase({ packageId: 1, email }));
  expect(order.status).toBe('queued');
  suppliers.setAvailable(true);
  await asked(1);
  suppliers.answerFlight();
  expect(await engine.outcome(order, { waitMs: 5_000 })).toMatchObject({ status: 'confirmed' });
});

test('Q6 a caller gets the outcome from the store when the live update is lost', async () => {
  const order = await accepted(engine.purchase({ packageId: 1, email }));
  const outcome = engine.outcome(order, { waitMs: 10_000 });
  vi.spyOn(store, 'orders').mockResolvedValue([{ ...order, status: 'failed', reason: 'flight_unavailable' }]);
  expect(await outcome).toMatchObject({ status: 'failed' });
});

test('Q4 a replaced owner does not refuse a unit that its successor released, even before it notices the replacement', async () => {
  await stop();
  let lease = new AbortController();
  const acquire = async () => {
    lease = new AbortController();
    const { signal } = lease;
    return { lost: signal, isHeld: () => !signal.aborted, release: async () => {} };
  };
  await start({ snapshotMaxAgeMs: 0, leases: { acquire, ping: async () => {}, close: async () => {} } });
  const sold = await accepted(engine.purchase({ packageId: 1, email }));
  suppliers.answerFlight();
  await engine.outcome(sold, { waitMs: 5_000 });
  const successor = makeEngine({ instance: 'successor' });
  await accepted(successor.cancel({ ...sold, status: 'confirmed' }));
  await vi.waitFor(async () => expect((await store.package(1))?.inventory.remaining).toBe(1));

  const reread = vi.spyOn(store, 'package');
  const purchase = engine.purchase({ packageId: 1, email });
  await vi.waitFor(() => expect(reread.mock.calls.length).toBeGreaterThan(2));
  lease.abort(new Error('the lease is lost'));
  expect(await accepted(purchase)).toMatchObject({ status: 'held' });
  await successor.drain();
});

test('a draining engine accepts no purchases, and waiting callers get the current state of their order', async () => {
  const order = await accepted(engine.purchase({ packageId: 1, email }));
  const outcome = engine.outcome(order, { waitMs: 60_000 });
  await engine.drain();
  expect(await outcome).toMatchObject({ status: 'held' });
  expect(await engine.purchase({ packageId: 1, email })).toMatchObject({ code: 'no_owner' });
  expect(await engine.readinessProblems()).toEqual(['this instance is draining']);
});

test('the last running instance answers waiting callers at once when it drains', async () => {
  await stop();
  const others = { v: 1, kind: 'elsewhere' };
  const messages: Messages = {
    members: () => ['test'],
    onMembers: () => () => {},
    ask: async () => others,
    serve: () => {},
    join: async () => {},
    leave: async () => {},
    available: true,
    close: async () => {},
  };
  await start({ messages });
  const order = await accepted(engine.purchase({ packageId: 1, email }));
  const outcome = engine.outcome(order, { waitMs: 60_000 });
  await engine.drain();
  expect(await outcome).toMatchObject({ id: order.id, status: 'held' });
  expect(await engine.purchase({ packageId: 1, email })).toEqual({ kind: 'refused', code: 'no_owner' });
});
