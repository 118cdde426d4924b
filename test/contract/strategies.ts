import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { archive } from '../../src/archive/archive.ts';
import type { ArchiveRecord } from '../../src/archive/archive-record.ts';
import { LockEngine } from '../../src/engine/lock/lock-engine.ts';
import { Consumer } from '../../src/engine/queue/consumer.ts';
import { QueueEngine } from '../../src/engine/queue/queue-engine.ts';
import type { StrategyEngine } from '../../src/engine/strategies/strategy-engine.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { grantedLeases } from '../support/granted-leases.ts';
import { memoryQueue } from '../support/memory-queue.ts';
import { onSale } from '../support/server.ts';
import {
  type FixtureStore,
  openStrategyFixture,
  outcomeOf,
  type StrategyFixture,
} from '../support/strategy-fixture.ts';
import type { OpenedStore } from './operator-store.ts';

interface Running {
  readonly engine: StrategyEngine;
  stop(): Promise<void>;
}

const engines: Readonly<Record<string, (stage: StrategyFixture) => Running>> = {
  lock(stage) {
    const engine = new LockEngine({ ...stage.options(), leases: grantedLeases() });
    return { engine, stop: async () => {} };
  },
  queue(stage) {
    const workQueue = memoryQueue();
    const consumer = new Consumer({ ...stage.options(), workQueue });
    void consumer.run();
    return { engine: new QueueEngine({ ...stage.options(), workQueue }), stop: () => consumer.stop() };
  },
};

const inTime = { timeout: 45_000, interval: 50 };

/** Buys. On a busy machine a purchase may wait too long for its lock: then it is refused, and sent again. */
async function buySurely(engine: StrategyEngine, email: string): Promise<void> {
  for (;;) {
    const answer = await engine.purchase({ packageId: 1, email });
    if (answer.kind === 'accepted' || answer.code !== 'overloaded') return;
  }
}

/** What the lock and queue engines do beside documents that cannot be read and beside an archive, on each store. */
export function strategiesContract(
  name: string,
  open: () => Promise<OpenedStore & { readonly store: FixtureStore }>,
): void {
  describe.each(Object.entries(engines))(`the %s engine: ${name}`, (which, run) => {
    let opened: Awaited<ReturnType<typeof open>>;
    let stage: StrategyFixture;
    let running: Running;

    beforeEach(async () => {
      opened = await open();
      stage = await openStrategyFixture({
        store: opened.store,
        package: { quota: 20 },
        flightFailureRate: 0,
      });
      await stage.store.addPackages([onSale({ id: 2, quota: 20 })]);
    });
    afterEach(async () => {
      running.engine.close();
      await running.engine.drain();
      await running.stop();
      await stage.close();
    });

    async function start(): Promise<StrategyEngine> {
      running = run(stage);
      await running.engine.start();
      return running.engine;
    }

    test('Q6 Q12 a package that cannot be read stops no other package, and its orders are finished after its repair', async () => {
      const left = await stage.leave('held');
      await opened.spoil(1, 9);
      const engine = await start();
      expect(await outcomeOf(engine, { packageId: 2 })).toBe('confirmed');
      expect(await outcomeOf(engine, { packageId: 1 })).toBe('store_unavailable');
      expect(await outcomeOf(engine, { packageId: 2 })).toBe('confirmed');
      await opened.spoil(1, 1);
      await vi.waitFor(
        async () => expect(await engine.order(left.id)).toMatchObject({ status: 'confirmed' }),
        inTime,
      );
      expect(await outcomeOf(engine, { packageId: 1 })).toBe('confirmed');
      await stage.expectCleanAudit();
    }, 120_000);

    test('Q6 Q12 an order that cannot be read stops no other package, and is finished after its repair', async () => {
      const left = await stage.leave('held');
      await opened.spoil(left.id, 9);
      const engine = await start();
      expect(await outcomeOf(engine, { packageId: 2 })).toBe('confirmed');
      // The holder of a lock first finishes the orders that others have left, and cannot here.
      const beside = which === 'lock' ? 'store_unavailable' : 'confirmed';
      expect(await outcomeOf(engine, { packageId: 1 })).toBe(beside);
      await expect(engine.order(left.id)).rejects.toThrow('newer release');
      expect(await outcomeOf(engine, { packageId: 2 })).toBe('confirmed');
      await opened.spoil(left.id, 1);
      await vi.waitFor(
        async () => expect(await engine.order(left.id)).toMatchObject({ status: 'confirmed' }),
        inTime,
      );
      await stage.expectCleanAudit();
    }, 120_000);

    test('Q1 Q3 orders that are archived during a sale are counted once, and no unit is sold twice', async () => {
      const engine = await start();
      const archived: ArchiveRecord[] = [];
      const file = {
        lastPage: [],
        append: async (records: readonly ArchiveRecord[]) => {
          archived.push(...records);
          return records;
        },
      };
      // Every order that has ended is old.
      const pass = () =>
        archive({ store: stage.store, file, retentionDays: -1, clock: systemClock, pageSize: 3 });
      let isOver = false;
      const archiving = (async () => {
        // A pass over SQLite that finds nothing never leaves the turn of the event loop.
        for (; !isOver; await setImmediate()) await pass();
      })();
      try {
        const buyers = Array.from({ length: 40 }, (_, each) => `${each}@example.com`);
        await Promise.all(buyers.map((email) => buySurely(engine, email)));
        // Not by the outcomes, because an order may be archived before its buyer's next look.
        await vi.waitFor(
          async () =>
            expect((await stage.store.package(1))?.inventory).toMatchObject({ confirmed: 20, waiting: 0 }),
          inTime,
        );
      } finally {
        isOver = true;
        await archiving;
      }
      await pass();
      expect(await stage.orders()).toEqual([]);
      const ids = archived.flatMap((record) => ('order' in record ? [record.order.id] : []));
      expect(new Set(ids).size).toBe((await stage.store.archivedCounts(1)).orders);
      expect(await stage.store.archivedCounts(1)).toMatchObject({ confirmed: 20 });
      await stage.expectCleanAudit();
    }, 120_000);
  });
}
