import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { samplesOf } from '../../test/support/exposition.ts';
import { freePort } from '../../test/support/free-port.ts';
import { environmentOf } from '../../test/support/node-process.ts';
import { ScriptedSuppliers } from '../../test/support/scripted-suppliers.ts';
import { onSale } from '../../test/support/server.ts';
import { type Mongod, startMongod } from '../../test/support/servers/mongod.ts';
import { type RedisServer, startRedis } from '../../test/support/servers/redis.ts';
import { countEach, outcomeOf } from '../../test/support/strategy-fixture.ts';
import { audit } from '../audit/audit.ts';
import { redisConnector } from '../cluster/redis/connector.ts';
import { QueueEngine } from '../engine/queue/queue-engine.ts';
import { redisList } from '../engine/queue/redis-work-queue.ts';
import { systemClock } from '../lib/clock.ts';
import { systemRandom } from '../lib/random.ts';
import { silentLog } from '../observability/log.ts';
import { localLiveBus } from '../realtime/live-bus.ts';
import { redisLiveBus } from '../realtime/redis/redis-live-bus.ts';
import { openMongoStore } from '../storage/mongodb/mongo-store.ts';
import { simulatedSuppliers } from '../suppliers/simulated-suppliers.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
let mongod: Mongod;
let redis: RedisServer;
const children: ChildProcess[] = [];

beforeAll(async () => {
  [mongod, redis] = await Promise.all([startMongod(), startRedis()]);
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await Promise.all([mongod?.stop(), redis?.stop()]);
});

/** Starts the consumer as an operator does. */
function spawnConsumer(settings: Record<string, string>, ...parameters: string[]) {
  const child = spawn(process.execPath, ['src/commands/consumer.ts', ...parameters], {
    cwd: root,
    env: environmentOf({ LOG_LEVEL: 'warn', ...settings }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  return { child, output: () => output, ended: once(child, 'close') };
}

/** The port at which a consumer serves its metrics. */
function portOf({ output }: ReturnType<typeof spawnConsumer>): Promise<string> {
  return vi.waitFor(() => {
    const [, at] = /serves \/metrics at port (\d+)\n/.exec(output()) ?? [];
    expect(at).toBeDefined();
    return at as string;
  }, 20_000);
}

/** The queue engine of a server on the same MongoDB and Redis. */
async function openServer() {
  const store = await openMongoStore({ url: mongod.url });
  const connect = redisConnector(redis.url, 'server', silentLog);
  const base = { store, clock: systemClock, random: systemRandom(), log: silentLog };
  const liveBus = redisLiveBus({ ...base, local: localLiveBus(), connect, instance: 'server' });
  const workQueue = redisList({ connect });
  const rules = { waitersPerUnit: 64, waitersMax: 100, ordersPerEmail: 0 };
  const suppliers = new ScriptedSuppliers();
  const engine = new QueueEngine({ ...base, liveBus, workQueue, rules, suppliers, snapshotMaxAgeMs: 250 });
  const close = async () => {
    await engine.drain();
    engine.close();
    await Promise.all([workQueue.close(), liveBus.close()]);
    await store.close();
  };
  return { engine, store, close };
}

test('Q3 Q5 Q8 the consumer books stored orders, continues when Redis is wiped, and stops on SIGTERM', async () => {
  const { engine, store, close } = await openServer();
  await store.addPackages([onSale({ quota: 10 })]);
  await engine.start();
  await vi.waitFor(async () => expect(await engine.readinessProblems()).toEqual([]), { timeout: 10_000 });
  const consumer = spawnConsumer({ DATABASE_URL: mongod.url, REDIS_URL: redis.url });
  const outcomes = Promise.all(
    Array.from({ length: 100 }, (_, each) => outcomeOf(engine, { email: `${each}@example.com` })),
  );
  await redis.flush();
  expect(countEach(await outcomes).confirmed).toBe(10);
  consumer.child.kill('SIGTERM');
  await consumer.ended;
  expect({ code: consumer.child.exitCode, output: consumer.output() }).toEqual({
    code: 0,
    output: 'the consumer takes orders\n',
  });
  const suppliers = simulatedSuppliers({
    ...{ ledger: store.ledger, clock: systemClock, random: systemRandom() },
    ...{ flightFailureRate: 0, hotelFailureRate: 0, latencyMs: 0 },
  });
  expect((await audit(store, { suppliers })).findings).toEqual([]);
  await close();
});

test('the consumer serves its metrics and whether it is ready', async () => {
  const { engine, store, close } = await openServer();
  await store.addPackages([onSale({ id: 2, quota: 2 })]);
  await engine.start();
  await vi.waitFor(async () => expect(await engine.readinessProblems()).toEqual([]), { timeout: 10_000 });
  const settings = { DATABASE_URL: mongod.url, REDIS_URL: redis.url, FLIGHT_FAILURE_RATE: '0' };
  const consumer = spawnConsumer(settings, '--port', '0');
  const port = await portOf(consumer);
  const get = (path: string) => fetch(`http://127.0.0.1:${port}${path}`);
  await vi.waitFor(async () => expect((await get('/readyz')).status).toBe(200), { timeout: 10_000 });
  expect((await get('/healthz')).status).toBe(200);
  expect((await get('/api/packages')).status).toBe(404);

  expect(await outcomeOf(engine, { email: 'a@example.com', packageId: 2 })).toBe('confirmed');
  const samples = await vi.waitFor(async () => {
    const scraped = samplesOf(await (await get('/metrics')).text());
    expect(scraped.get('ticket_booking_orders_total{status="confirmed"}')).toBe(1);
    return scraped;
  });
  const value = (series: string) => samples.get(`ticket_booking_${series}`);
  expect(value('saga_duration_seconds_count{saga="book",result="booked"}')).toBe(1);
  expect(value('supplier_call_duration_seconds_count{supplier="hotels",result="reserved"}')).toBe(1);
  expect(value('commit_duration_seconds_count')).toBeGreaterThan(1);
  expect(value('ready')).toBe(1);
  expect(value('breaker_open{supplier="flights"}')).toBe(0);
  expect([...samples.keys()].filter((series) => /_build_info.*engine="queue"/.test(series))).toHaveLength(1);
  // Its servers have the metrics of packages.
  expect([...samples.keys()].filter((series) => /_units|_waiting_orders/.test(series))).toEqual([]);

  const second = spawnConsumer(settings, '--port', port);
  await second.ended;
  expect({ code: second.child.exitCode, output: second.output() }).toEqual({
    code: 2,
    output: expect.stringMatching(/^listen EADDRINUSE/m),
  });
  consumer.child.kill('SIGTERM');
  await consumer.ended;
  expect(consumer.child.exitCode).toBe(0);
  await close();
});

test('the consumer is alive but not ready while it waits for the store, and can be stopped', async () => {
  const closed = await freePort();
  const settings = { DATABASE_URL: `mongodb://127.0.0.1:${closed}/x`, REDIS_URL: redis.url };
  const consumer = spawnConsumer(settings, '--port', '0');
  const port = await portOf(consumer);
  const get = (path: string) => fetch(`http://127.0.0.1:${port}${path}`);
  await vi.waitFor(() => expect(consumer.output()).toContain('waiting for the store'), 30_000);
  expect((await get('/healthz')).status).toBe(200);
  const unready = await get('/readyz');
  expect(unready.status).toBe(503);
  expect(await unready.json()).toMatchObject({ detail: 'Missing: the store cannot be reached.' });
  expect(await (await get('/metrics')).text()).toMatch(/^ticket_booking_ready 0$/m);
  consumer.child.kill('SIGTERM');
  await consumer.ended;
  expect(consumer.child.exitCode).toBe(0);
});

test.each([
  ['SQLite', { DATABASE_URL: 'sqlite:./x.db' }, 'SQLite serves one process alone'],
  ['no Redis', { DATABASE_URL: 'mongodb://localhost' }, 'needs the Redis'],
])('the consumer reports the error and exits 2: %s', async (_, settings, words) => {
  const consumer = spawnConsumer(settings);
  await consumer.ended;
  expect(consumer.child.exitCode).toBe(2);
  expect(consumer.output()).toContain(words);
  expect(consumer.output().trim().split('\n')).toHaveLength(1);
});

test('the consumer prints its usage on --help', async () => {
  const consumer = spawnConsumer({}, '--help');
  await consumer.ended;
  expect(consumer.child.exitCode).toBe(0);
  expect(consumer.output()).toContain('npm run consumer');
});
