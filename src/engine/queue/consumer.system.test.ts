import { Redis, type RedisOptions } from 'ioredis';
import { afterEach, expect, test, vi } from 'vitest';
import {
  type FaultySupplier,
  type FaultySupplierOptions,
  startFaultySupplier,
  supplierFaults,
} from '../../../test/support/faulty-supplier.ts';
import { onSale } from '../../../test/support/server.ts';
import { type RedisServer, startRedis } from '../../../test/support/servers/redis.ts';
import {
  bought,
  openStrategyFixture,
  outcomeOf,
  type StrategyFixture,
} from '../../../test/support/strategy-fixture.ts';
import { systemClock } from '../../lib/clock.ts';
import { silentLog } from '../../observability/log.ts';
import { StoreUnavailableError } from '../../storage/store.ts';
import { httpSuppliers } from '../../suppliers/http-suppliers.ts';
import { type ResilientSuppliers, resilientSuppliers } from '../../suppliers/resilient-suppliers.ts';
import { Consumer } from './consumer.ts';
import { QueueEngine } from './queue-engine.ts';
import { redisList } from './redis-work-queue.ts';
import type { WorkQueue } from './work-queue.ts';

let redis: RedisServer;
let stage: StrategyFixture;
let supplier: FaultySupplier;
let suppliers: ResilientSuppliers;
let engine: QueueEngine;
let workQueue: WorkQueue;
const consumers: Consumer[] = [];

function connect(_purpose: string, options: RedisOptions): Redis {
  const connection = new Redis(redis.url, { retryStrategy: () => 50, ...options, replyMapping: 'legacy' });
  connection.on('error', () => {});
  return connection;
}

async function open(fault: NonNullable<FaultySupplierOptions['fault']>): Promise<void> {
  redis = await startRedis();
  stage = await openStrategyFixture({ package: { quota: 2 } });
  await stage.store.addPackages([onSale({ id: 2, quota: 2 })]);
  supplier = await startFaultySupplier({ fault });
  const client = httpSuppliers({ url: supplier.url });
  suppliers = resilientSuppliers({ client, clock: systemClock, log: silentLog, timeoutMs: 2_000 });
  workQueue = redisList({ connect });
  engine = new QueueEngine({ ...stage.options({ suppliers }), workQueue });
  await engine.start();
  await vi.waitFor(() => expect(workQueue.available).toBe(true), 5_000);
}

function consume(): Consumer {
  const consumer = new Consumer({ ...stage.options({ suppliers }), workQueue });
  consumers.push(consumer);
  void consumer.run();
  return consumer;
}

afterEach(async () => {
  for (const consumer of consumers.splice(0)) await consumer.stop();
  await engine.drain();
  engine.close();
  await workQueue.close();
  suppliers.close();
  await supplier.stop();
  await stage.close();
  await redis.stop();
});

test('Q8 Q12 a cancel that keeps failing holds up no other order, and is resumed after a restart', async () => {
  let isFailing = true;
  let stuck: string | undefined;
  await open(({ kind, operation, key }) => {
    if (operation === 'cancel') return isFailing && key === stuck ? supplierFaults.error500 : undefined;
    if (operation === 'ledger' || kind === 'flights') return undefined;
    stuck ??= key;
    return key === stuck ? supplierFaults.refuse : undefined;
  });
  const cancels = () => supplier.calls.filter(({ operation }) => operation === 'cancel').length;
  const buy = (email: string, packageId: number) => outcomeOf(engine, { email, packageId });
  const first = consume();
  const order = await bought(engine);
  const isCompensating = async () =>
    expect(await engine.order(order.id)).toMatchObject({ status: 'compensating' });
  await vi.waitFor(isCompensating, 10_000);
  expect(stuck).toBe(order.id);
  expect(await buy('b@example.com', 1)).toBe('confirmed');
  expect(await buy('b@example.com', 2)).toBe('confirmed');
  const waiting = await bought(engine, { email: 'c@example.com' });
  await first.stop();

  const before = cancels();
  consume();
  expect(await buy('c@example.com', 2)).toBe('confirmed');
  await vi.waitFor(() => expect(cancels()).toBeGreaterThan(before), 10_000);
  await isCompensating();
  isFailing = false;
  expect(await engine.outcome(waiting, { waitMs: 20_000 })).toMatchObject({ status: 'confirmed' });
  expect(await engine.order(order.id)).toMatchObject({ status: 'failed', reason: 'hotel_unavailable' });
  const { flights, hotels } = await supplier.ledger();
  expect([...flights, ...hotels].filter(({ status }) => status === 'active')).toHaveLength(8);
}, 60_000);

test('a package that stays locked holds up no other package, and is served once it is free', async () => {
  await open(() => undefined);
  const locked = await bought(engine);
  const { commit } = stage.store;
  let isLocked = true;
  const refused = vi.fn();
  vi.spyOn(stage.store, 'commit').mockImplementation(async (packageId, ...rest) => {
    if (packageId !== locked.packageId || !isLocked) return commit.call(stage.store, packageId, ...rest);
    refused();
    throw new StoreUnavailableError('another transaction locks the package');
  });
  consume();
  await vi.waitFor(() => expect(refused).toHaveBeenCalled(), 10_000);
  expect(await outcomeOf(engine, { email: 'b@example.com', packageId: 2 })).toBe('confirmed');
  expect(await engine.order(locked.id)).toMatchObject({ status: 'queued' });
  isLocked = false;
  expect(await engine.outcome(locked, { waitMs: 20_000 })).toMatchObject({ status: 'confirmed' });
}, 60_000);
