import { afterEach, describe, expect, test, vi } from 'vitest';
import { grantedLeases } from '../../../test/support/granted-leases.ts';
import { memoryQueue } from '../../../test/support/memory-queue.ts';
import { ScriptedSuppliers } from '../../../test/support/scripted-suppliers.ts';
import {
  bought,
  countEach,
  openStrategyFixture,
  outcomeOf,
  type StrategyFixture,
  type StrategyFixtureOptions,
} from '../../../test/support/strategy-fixture.ts';
import type { Lease, Leases } from '../../cluster/lease.ts';
import { systemClock } from '../../lib/clock.ts';
import { StoreUnavailableError } from '../../storage/store.ts';
import { QueueEngine } from '../queue/queue-engine.ts';
import { LockEngine, type LockEngineOptions } from './lock-engine.ts';

let stage: StrategyFixture;
const engines: LockEngine[] = [];

async function setStage(options: StrategyFixtureOptions = {}): Promise<void> {
  stage = await openStrategyFixture(options);
}

async function start(over: Partial<LockEngineOptions> = {}): Promise<LockEngine> {
  const engine = new LockEngine({ ...stage.options(over), leases: locks(), ...over });
  engines.push(engine);
  await engine.start();
  return engine;
}

afterEach(async () => {
  for (const engine of engines.splice(0)) {
    await engine.drain();
    engine.close();
  }
  await stage.close();
});

interface TestLocks extends Leases {
  /** All leases expire, and their holders notice only at their next use. */
  expire(): void;
  /** Whether the lock service is away. */
  isAway: boolean;
}

/** Leases that exclude each other, shared by several engines in this process. */
function locks(): TestLocks {
  const held = new Set<number>();
  let leases = new Set<AbortController>();
  return {
    isAway: false,
    async acquire(packageId): Promise<Lease | undefined> {
      if (this.isAway) throw new Error('away');
      if (held.has(packageId)) return undefined;
      held.add(packageId);
      const lost = new AbortController();
      leases.add(lost);
      const release = async () => {
        if (leases.delete(lost)) held.delete(packageId);
      };
      return { lost: lost.signal, isHeld: () => !lost.signal.aborted, release };
    },
    async ping() {
      if (this.isAway) throw new Error('away');
    },
    expire() {
      for (const lost of leases) lost.abort();
      leases = new Set();
      held.clear();
    },
    async close() {},
  };
}

/** A lease that is granted to every caller. */
const broken = grantedLeases();

const crowd = (count: number) => Array.from({ length: count }, (_, each) => `${each}@example.com`);

test.each([{}, { key: 'k' }])('an order has the language of its purchase: %j', async (over) => {
  await setStage();
  const { id } = await bought(await start(), { ...over, language: 'de' });
  expect(await stage.store.order(id)).toMatchObject({ ...over, language: 'de' });
});

describe('a sale', () => {
  test('Q1 Q3 Q8 two hundred purchases at once over two engines sell each unit once', async () => {
    await setStage({ package: { quota: 20 }, flightFailureRate: 0.5, hotelFailureRate: 0.2 });
    const leases = locks();
    const pair = [await start({ leases }), await start({ leases })];
    const outcomes = await Promise.all(
      crowd(200).map((email, each) => outcomeOf(pair[each % 2] as LockEngine, { email })),
    );
    const counts = countEach(outcomes);
    expect(counts.confirmed).toBe(20);
    expect(Object.keys(counts).sort()).toEqual(['confirmed', 'failed', 'sold_out']);
    await stage.expectCleanAudit();
  });

  test('Q3 Q8 no unit is sold twice even if every process gets the lock at once', async () => {
    await setStage({ package: { quota: 20 }, flightFailureRate: 0.5, hotelFailureRate: 0.3, latencyMs: 2 });
    const many: LockEngine[] = [];
    for (let each = 0; each < 4; each++) many.push(await start({ leases: broken }));
    const outcomes = await Promise.all(
      crowd(200).map((email, each) => outcomeOf(many[each % 4] as LockEngine, { email })),
    );
    const { confirmed = 0 } = countEach(outcomes);
    expect(confirmed).toBeLessThanOrEqual(20);
    expect(await stage.orders('confirmed')).toHaveLength(confirmed);
    await vi.waitFor(() => stage.expectCleanAudit());
  });

  test('Q7 one key sent many times over two engines makes one order, and all callers get its outcome', async () => {
    await setStage({ package: { quota: 5 }, latencyMs: 5 });
    const leases = locks();
    const pair = [await start({ leases }), await start({ leases })];
    const orders = await Promise.all(
      crowd(100).map((_, each) => bought(pair[each % 2] as LockEngine, { key: 'k' })),
    );
    expect(new Set(orders.map(({ id }) => id)).size).toBe(1);
    const other = await pair[0]?.purchase({ packageId: 1, email: 'b@example.com', key: 'k' });
    expect(other).toEqual({ kind: 'refused', code: 'key_reused' });
    expect(await outcomeOf(pair[1] as LockEngine, { key: 'k' })).toBe('confirmed');
    expect(await stage.orders()).toHaveLength(1);
  });

  test('Q7 a repeated key returns its order after a sell-out', async () => {
    await setStage();
    const engine = await start();
    expect(await outcomeOf(engine, { key: 'k' })).toBe('confirmed');
    expect(await outcomeOf(engine, { key: 'other' })).toBe('sold_out');
    expect(await outcomeOf(engine, { key: 'k' })).toBe('confirmed');
  });

  test('the package and the order are published', async () => {
    await setStage();
    const heard: string[] = [];
    stage.liveBus.subscribe({
      package: ({ inventory: { held, confirmed } }) => heard.push(`held ${held}, confirmed ${confirmed}`),
      order: ({ status }) => heard.push(status),
    });
    await outcomeOf(await start());
    expect(heard).toEqual(['held 1, confirmed 0', 'held 0, confirmed 1', 'confirmed']);
  });

  test('the limit of orders per email is enforced', async () => {
    await setStage({ package: { quota: 5 } });
    const engine = await start({ rules: { waitersPerUnit: 1, waitersMax: 100, ordersPerEmail: 1 } });
    expect(await outcomeOf(engine)).toBe('confirmed');
    expect(await outcomeOf(engine)).toBe('order_limit');
  });
});

describe('the lock', () => {
  test('makes a second purchase wait for the first, and the second gets the unit that the first releases', async () => {
    await setStage();
    const suppliers = new ScriptedSuppliers();
    const engine = await start({ suppliers });
    const first = outcomeOf(engine);
    await vi.waitFor(() => expect(suppliers.flights).toHaveLength(1));
    const second = outcomeOf(engine, { email: 'b@example.com' });
    suppliers.answerFlight({ kind: 'refused', code: 'flight_unavailable' });
    expect(await first).toBe('failed');
    expect(suppliers.cancelled).toEqual([]);
    await vi.waitFor(() => expect(suppliers.flights).toHaveLength(1));
    suppliers.answerFlight();
    expect(await second).toBe('confirmed');
  });

  test('refuses a purchase that waits longer than the timeout, and nothing is stored', async () => {
    await setStage();
    const leases = locks();
    const lease = await leases.acquire(1);
    const engine = await start({ leases, commandTimeoutMs: 50 });
    expect(await outcomeOf(engine)).toBe('overloaded');
    await lease?.release();
    await engine.drain();
    expect(await stage.orders()).toEqual([]);
  });

  test('stores nothing for a purchase that times out while orders before it are finished', async () => {
    await setStage();
    const leases = locks();
    await bought(await start({ leases, suppliers: new ScriptedSuppliers() }));
    const silent = new ScriptedSuppliers();
    const next = await start({ leases, suppliers: silent, commandTimeoutMs: 50 });
    leases.expire();
    expect(await outcomeOf(next, { email: 'b@example.com' })).toBe('overloaded');
    await vi.waitFor(() => expect(silent.flights).toHaveLength(1));
    silent.answerFlight({ kind: 'refused', code: 'flight_unavailable' });
    await next.drain();
    expect((await stage.orders()).map(({ status }) => status)).toEqual(['failed']);
  });

  test('buys nothing for a caller without a key who hangs up while waiting', async () => {
    await setStage();
    const leases = locks();
    const lease = await leases.acquire(1);
    const engine = await start({ leases });
    const gone = new AbortController();
    const [keyless, keyed] = [
      outcomeOf(engine, { callerSignal: () => gone.signal }),
      outcomeOf(engine, { callerSignal: () => gone.signal, key: 'k' }),
    ];
    gone.abort();
    expect(await keyless).toBe('overloaded');
    await lease?.release();
    expect(await keyed).toBe('confirmed');
    expect(await stage.orders()).toHaveLength(1);
  });

  test('refuses purchases and makes the engine unready while its service is away, and then recovers', async () => {
    await setStage();
    const leases = locks();
    leases.isAway = true;
    const engine = await start({ leases });
    expect(await outcomeOf(engine)).toBe('no_owner');
    expect(await engine.readinessProblems()).toEqual(['Redis does not answer']);
    leases.isAway = false;
    await vi.waitFor(async () => expect(await engine.readinessProblems()).toEqual([]), 5_000);
    expect(await outcomeOf(engine)).toBe('confirmed');
  });
});

describe('a process that dies in the middle of a purchase', () => {
  test('Q2 Q8 has its order finished by the next holder of the lock', async () => {
    await setStage();
    const leases = locks();
    const silent = new ScriptedSuppliers();
    const order = await bought(await start({ leases, suppliers: silent }));
    const next = await start({ leases });
    await vi.waitFor(() => expect(silent.flights).toHaveLength(1));
    leases.expire();
    expect(await outcomeOf(next, { email: 'b@example.com' })).toBe('sold_out');
    expect(await next.order(order.id)).toMatchObject({ status: 'confirmed' });
    await stage.expectCleanAudit();
  });

  test('Q8 has its compensation finished by the next holder of the lock, and the unit is sold again', async () => {
    await setStage();
    const leases = locks();
    const silent = new ScriptedSuppliers();
    vi.spyOn(silent, 'cancel').mockResolvedValue(false);
    const order = await bought(await start({ leases, suppliers: silent }));
    const next = await start({ leases });
    await vi.waitFor(() => expect(silent.flights).toHaveLength(1));
    silent.answerFlight({ kind: 'unknown', cause: 'time-out' });
    await vi.waitFor(async () => expect(await stage.orders('compensating')).toHaveLength(1));
    leases.expire();
    expect(await outcomeOf(next, { email: 'b@example.com' })).toBe('confirmed');
    expect(await next.order(order.id)).toMatchObject({ status: 'failed', reason: 'supplier_silent' });
    await stage.expectCleanAudit();
  });

  test('Q3 Q8 changes nothing if it wakes up after another process finished its order', async () => {
    await setStage();
    const silent = new ScriptedSuppliers();
    const first = await start({ leases: broken, suppliers: silent });
    const order = await bought(first);
    await vi.waitFor(() => expect(silent.flights).toHaveLength(1));
    await start({ leases: broken });
    await vi.waitFor(async () => expect(await stage.orders('confirmed')).toHaveLength(1));
    silent.answerFlight({ kind: 'unknown', cause: 'time-out' });
    await first.drain();
    expect(await first.order(order.id)).toMatchObject({ status: 'confirmed' });
    expect(silent.cancelled).toEqual([]);
    await stage.expectCleanAudit();
  });

  test('Q5 a queue left by another engine is served before new orders', async () => {
    await setStage({ package: { quota: 2 } });
    const queueing = new QueueEngine({ ...stage.options(), workQueue: memoryQueue() });
    await queueing.start();
    const [first, second] = [await bought(queueing), await bought(queueing)];
    const third = await bought(queueing);
    await queueing.drain();
    queueing.close();
    const engine = await start();
    expect(await outcomeOf(engine, { email: 'b@example.com' })).toBe('sold_out');
    expect(await engine.orders([first.id, second.id])).toMatchObject([
      { status: 'confirmed' },
      { status: 'confirmed' },
    ]);
    await vi.waitFor(async () => expect(await engine.order(third.id)).toMatchObject({ status: 'rejected' }));
    await stage.expectCleanAudit();
  });

  test('Q8 has its order cancelled at the suppliers if the next holder of the lock gets a refusal', async () => {
    await setStage();
    const leases = locks();
    const dead = new ScriptedSuppliers();
    const order = await bought(await start({ leases, suppliers: dead }));
    await vi.waitFor(() => expect(dead.flights).toHaveLength(1));
    leases.expire();
    const suppliers = new ScriptedSuppliers();
    const next = await start({ leases, suppliers });
    await vi.waitFor(() => expect(suppliers.flights).toHaveLength(1));
    suppliers.answerFlight({ kind: 'refused', code: 'flight_unavailable' });
    await vi.waitFor(() => expect(suppliers.cancelled).toHaveLength(2));
    expect(await next.outcome(order, { waitMs: 5_000 })).toMatchObject({
      status: 'failed',
      reason: 'flight_unavailable',
    });
  });

  test('Q8 cancels after a refusal if another process has called the suppliers too', async () => {
    await setStage();
    const [first, second] = [new ScriptedSuppliers(), new ScriptedSuppliers()];
    const engine = await start({ leases: broken, suppliers: first });
    const order = await bought(engine);
    await vi.waitFor(() => expect(first.flights).toHaveLength(1));
    await start({ leases: broken, suppliers: second });
    await vi.waitFor(() => expect(second.flights).toHaveLength(1));
    first.answerFlight({ kind: 'refused', code: 'flight_unavailable' });
    await vi.waitFor(() => expect(first.cancelled).toHaveLength(2));
    expect(await engine.outcome(order, { waitMs: 5_000 })).toMatchObject({ status: 'failed' });
  });

  test('has its orders finished at the next start, even if nobody buys', async () => {
    await setStage();
    const order = await bought(await start({ suppliers: new ScriptedSuppliers() }));
    const next = await start();
    await vi.waitFor(async () => expect(await next.order(order.id)).toMatchObject({ status: 'confirmed' }));
  });
});

describe('cancelling', () => {
  test('Q8 Q12 more orders than one page whose cancels fail hide none of the later orders', async () => {
    await setStage({ package: { quota: 2_000 } });
    const last = await stage.leave('compensating', 1_001);
    const suppliers = new ScriptedSuppliers();
    vi.spyOn(suppliers, 'cancel').mockImplementation(async (_, { key }) => key === last.id);
    const engine = await start({ suppliers });
    await vi.waitFor(async () => expect((await engine.order(last.id))?.status).toBe('failed'), 15_000);
  }, 30_000);

  test('Q12 a cancel that keeps failing holds up no other purchase of the package', async () => {
    await setStage({ package: { quota: 3 } });
    const suppliers = new ScriptedSuppliers();
    suppliers.reserveFlight = async ({ key }) => ({ kind: 'reserved', number: `F-${key}` });
    const engine = await start({ suppliers });
    const stuck = await engine.outcome(await bought(engine), { waitMs: 5_000 });
    let isFailing = true;
    suppliers.cancel = async (_, { key }) => key !== stuck.id || !isFailing;
    expect(await engine.cancel(stuck)).toMatchObject({ kind: 'accepted' });
    expect(await outcomeOf(engine)).toBe('confirmed');
    const other = await engine.outcome(await bought(engine), { waitMs: 5_000 });
    expect(await engine.cancel(other)).toMatchObject({ kind: 'accepted' });
    await vi.waitFor(async () => expect(await engine.order(other.id)).toMatchObject({ status: 'cancelled' }));
    expect(await engine.order(stuck.id)).toMatchObject({ status: 'cancelling' });
    isFailing = false;
    await vi.waitFor(
      async () => expect(await engine.order(stuck.id)).toMatchObject({ status: 'cancelled' }),
      5_000,
    );
  });

  test('Q2 Q8 a confirmed order is cancelled at both suppliers, and its unit is sold again', async () => {
    await setStage();
    const engine = await start();
    const order = await engine.outcome(await bought(engine), { waitMs: 5_000 });
    expect(await engine.cancel(order)).toMatchObject({ kind: 'accepted' });
    expect(await engine.outcome({ ...order, status: 'cancelling' }, { waitMs: 5_000 })).toMatchObject({
      status: 'cancelled',
    });
    expect(await engine.cancel(order)).toMatchObject({ kind: 'accepted', order: { status: 'cancelled' } });
    expect(await outcomeOf(engine)).toBe('confirmed');
    await stage.expectCleanAudit();
  });

  test('an order that is being booked or has failed cannot be cancelled', async () => {
    await setStage();
    const suppliers = new ScriptedSuppliers();
    const engine = await start({ suppliers });
    const order = await bought(engine);
    expect(await engine.cancel(order)).toMatchObject({ kind: 'refused', code: 'in_progress', order });
    await vi.waitFor(() => expect(suppliers.flights).toHaveLength(1));
    suppliers.answerFlight({ kind: 'refused', code: 'flight_unavailable' });
    await engine.outcome(order, { waitMs: 5_000 });
    expect(await engine.cancel(order)).toMatchObject({ kind: 'refused', code: 'not_cancellable' });
  });
});

describe('outages', () => {
  test('while the store is away, purchases are refused and the engine is not ready', async () => {
    await setStage();
    const engine = await start();
    vi.spyOn(stage.store, 'versionedPackage').mockRejectedValue(new StoreUnavailableError('away'));
    vi.spyOn(stage.store, 'ping').mockRejectedValue(new StoreUnavailableError('away'));
    expect(await outcomeOf(engine)).toBe('store_unavailable');
    expect(await engine.readinessProblems()).toEqual(['the store does not answer: away']);
    vi.restoreAllMocks();
    expect(await outcomeOf(engine)).toBe('confirmed');
  });

  test('while the suppliers are away, no unit is claimed', async () => {
    await setStage();
    const suppliers = new ScriptedSuppliers();
    suppliers.setAvailable(false);
    expect(await outcomeOf(await start({ suppliers }))).toBe('not_ready');
    expect(await stage.orders()).toEqual([]);
  });

  test('while the engine drains, it accepts no purchase', async () => {
    await setStage();
    const engine = await start({ suppliers: new ScriptedSuppliers() });
    const order = await bought(engine);
    const waiting = engine.outcome(order, { waitMs: 60_000 });
    const inLine = outcomeOf(engine, { email: 'b@example.com' });
    const startedAt = systemClock.now();
    await engine.drain();
    expect(systemClock.now() - startedAt).toBeLessThan(5_000);
    expect(await inLine).toBe('no_owner');
    expect(await outcomeOf(engine)).toBe('no_owner');
    engine.close();
    expect(await waiting).toMatchObject({ status: 'held' });
  });
});
