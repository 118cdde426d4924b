import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { packagesOf } from '../../../test/support/all-packages.ts';
import { grantedLeases } from '../../../test/support/granted-leases.ts';
import { memoryQueue } from '../../../test/support/memory-queue.ts';
import { onSale } from '../../../test/support/server.ts';
import {
  bought,
  openStrategyFixture,
  outcomeOf,
  type StrategyFixture,
} from '../../../test/support/strategy-fixture.ts';
import { CommitUnknownError } from '../../storage/store.ts';
import { LockEngine } from '../lock/lock-engine.ts';
import { QueueEngine } from '../queue/queue-engine.ts';
import type { StrategyEngine, StrategyOptions } from './strategy-engine.ts';

const email = 'ana@example.com';

describe.each([
  ['lock', (options: StrategyOptions) => new LockEngine({ ...options, leases: grantedLeases() })],
  ['queue', (options: StrategyOptions) => new QueueEngine({ ...options, workQueue: memoryQueue() })],
] as const)('requests of operators to the %s engine', (_, make) => {
  let stage: StrategyFixture;
  let engine: StrategyEngine;
  beforeEach(async () => {
    stage = await openStrategyFixture({ package: { quota: 2 } });
    engine = make(stage.options());
    await engine.start();
  });
  afterEach(async () => {
    engine.close();
    await engine.drain();
    await stage.close();
  });

  test('Q1 a package is updated only at its current version, and its quota never falls below held plus confirmed', async () => {
    await stage.leave('held');
    expect(await engine.updatePackage(1, { version: 1, quota: 0 })).toMatchObject({ code: 'quota_too_low' });
    expect(await engine.updatePackage(1, { version: 1, quota: 5, price: 7 })).toMatchObject({
      kind: 'done',
      value: { quota: 5, price: 7, version: 2 },
    });
    expect(await engine.updatePackage(1, { version: 1, quota: 9 })).toMatchObject({
      code: 'version_conflict',
    });
    expect(await engine.updatePackage(99, { version: 1 })).toMatchObject({ code: 'unknown_package' });
    expect((await engine.package(1))?.package).toMatchObject({ quota: 5 });
    const { package: stored, inventory } = (await stage.store.package(1))!;
    expect(inventory.remaining + inventory.held + inventory.confirmed).toBe(stored.quota);
  });

  test('Q6 a purchase gets `unknown_package` for a removed package, and `sale_closed` for an archived package', async () => {
    await stage.store.addPackages([onSale({ id: 2 })]);
    await packagesOf(engine);
    await stage.store.removePackage(2, (await stage.store.versionedPackage(2))!.fence);
    expect(await engine.purchase({ packageId: 2, email })).toMatchObject({ code: 'unknown_package' });
    engine.removed(2);
    expect((await packagesOf(engine)).map((each) => each.package.id)).toEqual([1]);
    const archiving = { archived: true, version: 1 } as const;
    expect(await engine.updatePackage(1, archiving)).toMatchObject({ code: 'sale_not_ended' });
    expect(await engine.updatePackage(1, { ...archiving, paused: true })).toMatchObject({ kind: 'done' });
    expect(await engine.purchase({ packageId: 1, email })).toMatchObject({ code: 'sale_closed' });
  });

  test('an update is not made twice if its commit was applied but the answer was lost', async () => {
    const { store } = stage;
    const commit = store.commit.bind(store);
    const once = vi.spyOn(store, 'commit').mockImplementationOnce(async (...all) => {
      await commit(...all);
      throw new CommitUnknownError('lost');
    });
    expect(await engine.updatePackage(1, { version: 1, quota: 5 })).toMatchObject({
      value: { quota: 5, version: 2 },
    });
    expect(once).toHaveBeenCalledOnce();
  });

  test('a paused package cannot be bought', async () => {
    await engine.updatePackage(1, { version: 1, paused: true });
    expect(await outcomeOf(engine)).toBe('paused');
  });

  test('an email is erased from orders that have ended', async () => {
    const order = await bought(engine, { email, key: email });
    const erasures = [{ orderId: order.id, email: 'x@erased.invalid', key: 'erased-x' }];
    if (engine instanceof QueueEngine) {
      // No consumer runs, so the order stays unfinished.
      expect(await engine.erase(1, email, erasures)).toEqual({ kind: 'done', value: { left: 1 } });
      await engine.cancel(order);
    } else {
      await engine.outcome(order, { waitMs: 10_000 });
    }
    await vi.waitFor(async () =>
      expect(await engine.erase(1, email, erasures)).toEqual({ kind: 'done', value: { left: 0 } }),
    );
    expect(await engine.order(order.id)).toMatchObject({ email: 'x@erased.invalid', key: 'erased-x' });
  });

  test('Q3 the fence of one package cannot change an order of another package', async () => {
    await stage.store.addPackages([onSale({ id: 2 })]);
    const order = await bought(engine, { packageId: 2, email });
    if (engine instanceof QueueEngine) await engine.cancel(order);
    else await engine.outcome(order, { waitMs: 10_000 });
    const erasures = [{ orderId: order.id, email: 'x@erased.invalid' }];
    expect(await engine.erase(1, email, erasures)).toEqual({ kind: 'done', value: { left: 0 } });
    expect(await engine.order(order.id)).toMatchObject({ email, packageId: 2 });
  });

  test('an order that has ended or does not exist is not retried', async () => {
    const order = await bought(engine);
    await engine.outcome(order, { waitMs: engine instanceof QueueEngine ? 0 : 10_000 });
    if (engine instanceof QueueEngine) await engine.cancel(order);
    expect(await engine.retry(order)).toMatchObject({ code: 'not_retryable' });
    expect(await engine.retry({ ...order, id: '0000-0000-0000-0000' })).toMatchObject({
      code: 'unknown_order',
    });
  });

  test('Q8 a compensation whose cancels hang begins again at a retry', async () => {
    const order = await stage.leave('compensating');
    const hanging = vi.spyOn(stage.suppliers, 'cancel').mockReturnValue(new Promise(() => {}));
    expect(await engine.retry(order)).toMatchObject({ kind: 'accepted' });
    await vi.waitFor(() => expect(hanging).toHaveBeenCalledTimes(2));
    hanging.mockRestore();
    expect(await engine.retry(order)).toMatchObject({ kind: 'accepted' });
    // The hanging cancels themselves are repeated only after their timeout of 2 s.
    await vi.waitFor(async () => expect((await engine.order(order.id))?.status).toBe('failed'), 1_900);
  });

  test('an abandoned order is finished at once', async () => {
    const order = await stage.leave('held');
    expect(await engine.retry(order)).toMatchObject({ kind: 'accepted' });
    await vi.waitFor(async () => expect((await engine.order(order.id))?.status).toBe('confirmed'));
  });
});
