import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { liveBusContract } from '../../../test/contract/live-bus.ts';
import { fakeOrder, fakeSnapshot } from '../../../test/support/fake-engine.ts';
import { recordingLog } from '../../../test/support/recording-log.ts';
import { type RedisServer, startRedis } from '../../../test/support/servers/redis.ts';
import { redisConnector } from '../../cluster/redis/connector.ts';
import type { Order } from '../../domain/order.ts';
import { systemClock } from '../../lib/clock.ts';
import { silentLog } from '../../observability/log.ts';
import { type LiveBus, localLiveBus } from '../live-bus.ts';
import { type RedisLiveBusOptions, redisLiveBus } from './redis-live-bus.ts';

let server: RedisServer;
let redis: Redis;
let opened: LiveBus[] = [];
const soon = { timeout: 10_000, interval: 10 };

beforeAll(async () => {
  server = await startRedis();
  redis = new Redis(server.url, { maxRetriesPerRequest: null });
  redis.on('error', () => {});
});
afterEach(async () => {
  await Promise.all(opened.map((bus) => bus.close()));
  opened = [];
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

function open(instance: string, over: Partial<RedisLiveBusOptions> = {}): LiveBus {
  const bus = redisLiveBus({
    local: localLiveBus(),
    connect: redisConnector(server.url, instance, silentLog),
    instance,
    clock: systemClock,
    log: silentLog,
    ...over,
  });
  opened.push(bus);
  return bus;
}

/** Waits until this many instances listen. */
async function listening(count: number): Promise<void> {
  await vi.waitFor(
    async () => expect(await redis.pubsub('NUMSUB', 'live:0')).toEqual(['live:0', count]),
    soon,
  );
}

async function pair(over: Partial<RedisLiveBusOptions> = {}): Promise<[LiveBus, LiveBus]> {
  await listening(0);
  const ends: [LiveBus, LiveBus] = [open('a', over), open('b', over)];
  await listening(2);
  return ends;
}

function listen(bus: LiveBus): Order[] {
  const heard: Order[] = [];
  bus.subscribe({ order: (order) => heard.push(order) });
  return heard;
}

liveBusContract('redis, one process', async () => {
  const [bus] = await pair();
  return { publisher: bus, subscriber: bus };
});

liveBusContract('redis, two instances', async () => {
  const [publisher, subscriber] = await pair();
  return { publisher, subscriber };
});

test('calls the listeners of the publishing instance at once, and only once', async () => {
  const [a, b] = await pair();
  const [own, others] = [listen(a), listen(b)];
  a.publishOrder(fakeOrder());
  expect(own).toHaveLength(1);
  b.publishOrder(fakeOrder({ id: 'from b' }));
  await vi.waitFor(() => expect(own.map(({ id }) => id)).toEqual([fakeOrder().id, 'from b']), soon);
  expect(others.map(({ id }) => id)).toEqual(['from b', fakeOrder().id]);
});

test('sends a burst of changes as one message with the newest state of each', async () => {
  const [a, b] = await pair();
  const messages: string[] = [];
  const spy = redis.duplicate();
  await spy.subscribe('live:0');
  spy.on('message', (_channel, text: string) => messages.push(text));
  const heard: unknown[] = [];
  b.subscribe({ package: (snapshot) => heard.push(snapshot), order: (order) => heard.push(order) });
  for (let version = 1; version <= 200; version++) a.publishPackage(fakeSnapshot({ version }));
  a.publishOrder(fakeOrder({ status: 'queued' }));
  a.publishOrder(fakeOrder({ status: 'held' }));
  await vi.waitFor(() => {
    expect(heard).toEqual([fakeSnapshot({ version: 200 }), fakeOrder({ status: 'held' })]);
  }, soon);
  expect(messages).toHaveLength(1);
  spy.disconnect();
});

test('delivers thousands of orders per second to the other instances', async () => {
  const [a, b] = await pair();
  const heard = listen(b);
  for (let each = 0; each < 5_000; each++) a.publishOrder(fakeOrder({ id: `${each}`, number: each }));
  await vi.waitFor(() => expect(heard).toHaveLength(5_000), soon);
  expect(heard.map(({ number }) => number)).toEqual(Array.from({ length: 5_000 }, (_, each) => each));
});

test('keeps only the newest changes while Redis is down, and delivers again after Redis is back', async () => {
  const [a, b] = await pair({ waitingMax: 10 });
  const heard = listen(b);
  await server.kill();
  for (let each = 0; each < 100; each++) a.publishOrder(fakeOrder({ id: `${each}`, number: each }));
  await server.restart();
  await listening(2);
  await vi.waitFor(() => {
    a.publishOrder(fakeOrder({ id: 'after' }));
    expect(heard.map(({ id }) => id)).toContain('after');
  }, soon);
  expect(heard.filter(({ id }) => id !== 'after').length).toBeLessThanOrEqual(10);
});

test('is not delayed by a paused Redis', async () => {
  const [a, b] = await pair();
  const [own, others] = [listen(a), listen(b)];
  const paused = server.pause(1_500);
  for (let each = 0; each < 20; each++) {
    a.publishOrder(fakeOrder({ id: `${each}` }));
    await systemClock.sleep(20);
  }
  expect(own).toHaveLength(20);
  await paused;
  a.publishOrder(fakeOrder({ id: 'after' }));
  await vi.waitFor(() => expect(others.at(-1)?.id).toBe('after'), soon);
});

test('closes without a long wait while Redis is down', async () => {
  const [a] = await pair();
  await server.kill();
  a.publishOrder(fakeOrder());
  const since = performance.now();
  await a.close();
  expect(performance.now() - since).toBeLessThan(2_000);
  await server.restart();
});

test('passes on members that a newer release adds, and drops malformed messages with one log line', async () => {
  const log = recordingLog();
  const bus = open('a', { log });
  await listening(1);
  const heard: Order[] = listen(bus);
  const send = (message: unknown) =>
    redis.publish('live:0', `z\n${typeof message === 'string' ? message : JSON.stringify(message)}`);
  await send('{');
  for (const items of [[{ order: { id: 'x' } }], [{ line: { packageId: 0, first: [] } }], 'all', [1]]) {
    await send({ v: 1, items });
  }
  await send({ v: 2, items: [{ order: fakeOrder({ id: 'too new' }) }] });
  await redis.publish('live:0', '');
  await send({
    v: 1,
    items: [{ weather: 'fine' }, { order: { ...fakeOrder(), loyalty: 3 }, why: 'new' }],
    at: 1,
  });
  await vi.waitFor(() => expect(heard).toEqual([{ ...fakeOrder(), loyalty: 3 }]), soon);
  expect(log.lines).toEqual(['live changes cannot be read and are dropped']);
});
