import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type MemoryQueue, memoryQueue } from '../../../test/support/memory-queue.ts';
import { ScriptedSuppliers } from '../../../test/support/scripted-suppliers.ts';
import { onSale } from '../../../test/support/server.ts';
import {
  bought,
  countEach,
  openStrategyFixture,
  outcomeOf,
  type StrategyFixture,
  type StrategyFixtureOptions,
} from '../../../test/support/strategy-fixture.ts';
import { systemClock } from '../../lib/clock.ts';
import { UnreadableError } from '../../storage/store.ts';
import { Consumer, type ConsumerOptions } from './consumer.ts';
import { QueueEngine, type QueueEngineOptions } from './queue-engine.ts';
import type { WorkQueue } from './work-queue.ts';

let stage: StrategyFixture;
let workQueue: MemoryQueue;
const engines: QueueEngine[] = [];
const consumers: Consumer[] = [];

async function setStage(options: StrategyFixtureOptions = {}): Promise<void> {
  stage = await openStrategyFixture(options);
}

beforeEach(() => {
  workQueue = memoryQueue();
});

async function start(over: Partial<QueueEngineOptions> = {}): Promise<QueueEngine> {
  const engine = new QueueEngine({ ...stage.options(over), workQueue, ...over });
  engines.push(engine);
  await engine.start();
  return engine;
}

function consume(over: Partial<ConsumerOptions> = {}): Consumer {
  const consumer = new Consumer({ ...stage.options(), workQueue, ...over });
  consumers.push(consumer);
  void consumer.run();
  return consumer;
}

/** A consumer that hangs during an order like a dead one, because its suppliers never answer. */
async function dyingConsumer(): Promise<ScriptedSuppliers> {
  const suppliers = new ScriptedSuppliers();
  consume({ suppliers });
  await vi.waitFor(() => expect(suppliers.flights).toHaveLength(1));
  return suppliers;
}

afterEach(async () => {
  vi.restoreAllMocks();
  for (const engine of engines.splice(0)) {
    await engine.drain();
    engine.close();
  }
  // A consumer whose suppliers never answer cannot stop, so wait at most 1 s.
  const silenced = consumers.splice(0).map((consumer) => consumer.stop());
  await Promise.race([Promise.all(silenced), pause(1_000)]);
  await stage.close();
});

const crowd = (count: number) => Array.from({ length: count }, (_, each) => `${each}@example.com`);

test.each([{}, { key: 'k' }])('an order has the language of its purchase: %j', async (over) => {
  await setStage();
  const { id } = await bought(await start(), { ...over, language: 'de' });
  expect(await stage.store.order(id)).toMatchObject({ ...over, language: 'de' });
});

describe('a sale', () => {
  test('Q1 Q3 Q5 Q8 two servers and one consumer give all units by number and reject the other orders', async () => {
    await setStage({ package: { quota: 20 }, flightFailureRate: 0.5, hotelFailureRate: 0.2 });
    const pair = [await start(), await start()];
    consume();
    const outcomes = await Promise.all(
      crowd(200).map((email, each) => outcomeOf(pair[each % 2] as QueueEngine, { email })),
    );
    const counts = countEach(outcomes);
    expect(counts.confirmed).toBe(20);
    expect(Object.keys(counts).every((word) => /confirmed|failed|rejected|sold_out/.test(word))).toBe(true);
    await stage.expectCleanAudit();
    expect(await stage.orders('queued')).toEqual([]);
  });

  test('Q5 units are given by order number, whatever the sequence of the list', async () => {
    await setStage({ package: { quota: 10 } });
    const numbers: number[] = [];
    stage.liveBus.subscribe({
      order: ({ status, number }) => void (status === 'held' && numbers.push(number)),
    });
    const list = lastInFirstOut();
    const engine = await start({ workQueue: list });
    for (const email of crowd(20)) await bought(engine, { email });
    consume({ workQueue: list });
    await vi.waitFor(async () => expect(await stage.orders('queued')).toEqual([]), 10_000);
    expect(numbers).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(await stage.orders('rejected')).toHaveLength(10);
  });

  test('Q1 Q3 Q8 several consumers at once sell no unit twice', async () => {
    await setStage({ package: { quota: 20 }, flightFailureRate: 0.5, hotelFailureRate: 0.3, latencyMs: 2 });
    const engine = await start();
    for (let each = 0; each < 3; each++) consume({ abandonedAfterMs: 50 });
    const outcomes = await Promise.all(crowd(200).map((email) => outcomeOf(engine, { email })));
    const { confirmed = 0, rejected = 0, failed = 0, sold_out = 0 } = countEach(outcomes);
    expect([confirmed, rejected + failed + sold_out]).toEqual([20, 180]);
    await vi.waitFor(() => stage.expectCleanAudit());
  });

  test('Q7 one key sent many times over two servers makes one order, also after a sell-out', async () => {
    await setStage();
    const pair = [await start(), await start()];
    // Purchases without a key come first, so that the purchases with the same key share a later commit.
    const keyless = pair.map((engine) => bought(engine, { email: 'c@example.com' }));
    const orders = await Promise.all(
      crowd(100).map((_, each) => bought(pair[each % 2] as QueueEngine, { key: 'k' })),
    );
    expect(new Set(orders.map(({ id }) => id)).size).toBe(1);
    for (const order of keyless) await pair[0]?.cancel(await order);
    expect(workQueue.size).toBe(3);
    consume();
    expect(await outcomeOf(pair[0] as QueueEngine, { key: 'k' })).toBe('confirmed');
    expect(await outcomeOf(pair[1] as QueueEngine, { key: 'k' })).toBe('confirmed');
    expect(await outcomeOf(pair[1] as QueueEngine, { key: 'k', email: 'b@example.com' })).toBe('key_reused');
  });

  test('queue positions are published, and a purchase is refused while the queue is full', async () => {
    await setStage();
    const engine = await start({ rules: { waitersPerUnit: 3, waitersMax: 100, ordersPerEmail: 0 } });
    const first = await bought(engine);
    const second = await bought(engine);
    await vi.waitFor(() => expect(engine.queuePosition(second)).toBe(2));
    expect([first.number, second.number]).toEqual([1, 2]);
    await bought(engine);
    expect(await outcomeOf(engine)).toBe('queue_full');
    consume();
    await vi.waitFor(() => expect(engine.queuePosition(second)).toBeUndefined());
    expect(await engine.outcome(first, { waitMs: 5_000 })).toMatchObject({ status: 'confirmed' });
    expect(await engine.outcome(second, { waitMs: 5_000 })).toMatchObject({ status: 'rejected' });
  });
});

/** A list that reverses the order of the ids. */
function lastInFirstOut(): WorkQueue {
  const ids: string[] = [];
  return {
    available: true,
    push: async (id) => void ids.push(id),
    pop: async (timeoutMs) => {
      const id = ids.pop();
      if (id === undefined) await pause(timeoutMs);
      return id;
    },
    close: async () => {},
  };
}

describe('losses', () => {
  test('Q2 Q8 the next consumer finishes the orders of a dead consumer before it serves the queue', async () => {
    await setStage();
    const engine = await start();
    const [order, other] = [await bought(engine), await bought(engine, { email: 'b@example.com' })];
    const silent = await dyingConsumer();
    consume();
    expect(await engine.outcome(order, { waitMs: 5_000 })).toMatchObject({ status: 'confirmed' });
    expect(await engine.outcome(other, { waitMs: 5_000 })).toMatchObject({ status: 'rejected' });
    // The dead consumer wakes up. Its result must be ignored, and it must not cancel anything.
    silent.answerFlight({ kind: 'unknown', cause: 'time-out' });
    await consumers[0]?.stop();
    expect(await engine.order(order.id)).toMatchObject({ status: 'confirmed' });
    expect(silent.cancelled).toEqual([]);
    await stage.expectCleanAudit();
  });

  test('Q8 Q12 more orders than one page whose cancels fail hide none of the later orders', async () => {
    await setStage({ package: { quota: 2_000 } });
    const last = await stage.leave('compensating', 1_001);
    const suppliers = new ScriptedSuppliers();
    vi.spyOn(suppliers, 'cancel').mockImplementation(async (_, { key }) => key === last.id);
    const engine = await start();
    consume({ suppliers });
    await vi.waitFor(async () => expect((await engine.order(last.id))?.status).toBe('failed'), 15_000);
  }, 30_000);

  test.each([
    ['whose clock is right', 0],
    ['whose clock is an hour behind', -3_600_000],
  ])('Q2 a running consumer %s finishes the abandoned orders of another consumer', async (_, aheadMs) => {
    await setStage();
    const engine = await start();
    const clock = { ...systemClock, now: () => systemClock.now() + aheadMs };
    consume({ abandonedAfterMs: 100, clock });
    vi.spyOn(workQueue, 'pop').mockImplementation(() => pause(50).then(() => undefined));
    const silent = new ScriptedSuppliers();
    const order = await bought(engine);
    consume({ suppliers: silent });
    await vi.waitFor(() => expect(silent.flights).toHaveLength(1));
    expect(await engine.outcome(order, { waitMs: 20_000 })).toMatchObject({ status: 'confirmed' });
  });

  test('Q12 a package that becomes unreadable while it is booked holds up no other package', async () => {
    await setStage();
    await stage.store.addPackages([onSale({ id: 2 })]);
    const engine = await start();
    await bought(engine);
    const suppliers = await dyingConsumer();
    const readPackage = stage.store.versionedPackage;
    vi.spyOn(stage.store, 'versionedPackage').mockImplementation(async (id, selection) => {
      if (id === 1) throw new UnreadableError({ packageId: 1 }, 2);
      return readPackage(id, selection);
    });
    suppliers.answerFlight();
    const order = await bought(engine, { packageId: 2 });
    await vi.waitFor(() => expect(suppliers.flights).toHaveLength(1), 5_000);
    suppliers.answerFlight();
    expect(await engine.outcome(order, { waitMs: 5_000 })).toMatchObject({ status: 'confirmed' });
  });

  test('a list that is wiped loses no order, before or while a consumer runs', async () => {
    await setStage({ package: { quota: 3 } });
    const engine = await start();
    const before = await bought(engine);
    workQueue.wipe();
    consume();
    expect(await engine.outcome(before, { waitMs: 5_000 })).toMatchObject({ status: 'confirmed' });
    vi.spyOn(workQueue, 'push').mockResolvedValueOnce().mockRejectedValueOnce(new Error('away'));
    const during = [await bought(engine), await bought(engine)];
    for (const order of during) {
      expect(await engine.outcome(order, { waitMs: 10_000 })).toMatchObject({ status: 'confirmed' });
    }
  });

  test('a consumer continues from the store while the list is away', async () => {
    await setStage();
    const engine = await start();
    vi.spyOn(workQueue, 'pop').mockRejectedValue(new Error('away'));
    consume();
    expect(await outcomeOf(engine)).toBe('confirmed');
  });

  test('servers take no orders while the list is away', async () => {
    await setStage();
    const engine = await start();
    workQueue.available = false;
    expect(await outcomeOf(engine)).toBe('no_owner');
    expect(await engine.readinessProblems()).toEqual(['Redis does not answer']);
    expect(await stage.orders()).toEqual([]);
  });
});

describe('withdrawing and cancelling', () => {
  test('a queued order is withdrawn, and never served', async () => {
    await setStage();
    const engine = await start();
    const order = await bought(engine);
    expect(await engine.cancel(order)).toMatchObject({ kind: 'accepted', order: { status: 'withdrawn' } });
    consume();
    expect(await outcomeOf(engine)).toBe('confirmed');
    expect(await engine.order(order.id)).toMatchObject({ status: 'withdrawn' });
  });

  test.each([
    ['the order leaves the queue without a key', undefined, 'withdrawn'],
    ['its position is kept with a key', 'k', 'queued'],
  ])('when a caller hangs up, %s', async (_, key, status) => {
    await setStage();
    const engine = await start();
    const order = await bought(engine, key === undefined ? {} : { key });
    const gone = new AbortController();
    const outcome = engine.outcome(order, { waitMs: 60_000, gone: gone.signal });
    gone.abort();
    await outcome;
    await engine.drain();
    expect(await engine.order(order.id)).toMatchObject({ status });
  });

  test('Q2 Q8 a confirmed order is cancelled at both suppliers, and its unit goes to the queue', async () => {
    await setStage();
    const engine = await start();
    consume();
    const order = await engine.outcome(await bought(engine), { waitMs: 5_000 });
    expect(await engine.cancel(order)).toMatchObject({ kind: 'accepted' });
    expect(await outcomeOf(engine)).toBe('confirmed');
    expect(await engine.order(order.id)).toMatchObject({ status: 'cancelled' });
    await stage.expectCleanAudit();
  });
});

describe('a consumer', () => {
  test('finishes its current order when it is stopped, and takes no other order', async () => {
    await setStage({ package: { quota: 2 } });
    const engine = await start();
    const [order, other] = [await bought(engine), await bought(engine)];
    const suppliers = await dyingConsumer();
    const stopped = consumers[0]?.stop();
    suppliers.answerFlight();
    await stopped;
    expect(await engine.order(order.id)).toMatchObject({ status: 'confirmed' });
    expect(await engine.order(other.id)).toMatchObject({ status: 'queued' });
  });

  test('Q4 claims no unit and rejects no order while the suppliers are away or the sale is paused', async () => {
    await setStage();
    const engine = await start();
    const suppliers = new ScriptedSuppliers();
    suppliers.setAvailable(false);
    const order = await bought(engine);
    consume({ suppliers });
    await vi.waitFor(() => expect(workQueue.size).toBe(0));
    expect(await engine.order(order.id)).toMatchObject({ status: 'queued' });
    suppliers.setAvailable(true);
    await vi.waitFor(() => expect(suppliers.flights).toHaveLength(1));
    suppliers.answerFlight();
    expect(await engine.outcome(order, { waitMs: 5_000 })).toMatchObject({ status: 'confirmed' });
  });

  test('Q12 serves other packages while the booking of one package hangs', async () => {
    await setStage({ package: { quota: 2 } });
    await stage.store.addPackages([onSale({ id: 2, quota: 2 })]);
    const engine = await start();
    const suppliers = new ScriptedSuppliers();
    const ask = suppliers.reserveFlight.bind(suppliers);
    vi.spyOn(suppliers, 'reserveFlight').mockImplementation(async (request, signal) =>
      request.packageId === 1 ? ask(request, signal) : { kind: 'reserved', number: `F-${request.key}` },
    );
    const [first, second] = [await bought(engine), await bought(engine)];
    consume({ suppliers });
    await vi.waitFor(() => expect(suppliers.flights).toHaveLength(1));
    expect(await outcomeOf(engine, { packageId: 2 }, 5_000)).toBe('confirmed');
    expect(await outcomeOf(engine, { packageId: 2 }, 5_000)).toBe('confirmed');
    // The package itself books one order at a time.
    expect(suppliers.flights).toHaveLength(1);
    expect(await engine.order(second.id)).toMatchObject({ status: 'queued' });
    for (const order of [first, second]) {
      await vi.waitFor(() => expect(suppliers.flights).toHaveLength(1));
      suppliers.answerFlight({ kind: 'reserved', number: `F-${order.id}` });
      expect(await engine.outcome(order, { waitMs: 5_000 })).toMatchObject({ status: 'confirmed' });
    }
  });

  test('serves other packages while one package waits for its units', async () => {
    await setStage();
    await stage.store.addPackages([onSale({ id: 2 })]);
    const engine = await start();
    const stuck = await bought(engine, { packageId: 2 });
    await pauseSale(2);
    consume();
    expect(await outcomeOf(engine)).toBe('confirmed');
    expect(await engine.order(stuck.id)).toMatchObject({ status: 'queued' });
  });
});

async function pauseSale(packageId: number): Promise<void> {
  const versioned = await stage.store.versionedPackage(packageId);
  if (versioned === undefined) throw new Error('no such package');
  const { package: travelPackage, inventory, fence } = versioned;
  const paused = { ...travelPackage, paused: true, version: 2 };
  await stage.store.commit(packageId, fence, { inventory, package: paused, inserted: [], updated: [] });
}
