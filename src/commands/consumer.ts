import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { redisConnector } from '../cluster/redis/connector.ts';
import { serveMonitoring } from '../compose/monitoring.ts';
import { type OpenStore, openStore } from '../compose/store.ts';
import { composeSuppliers } from '../compose/suppliers.ts';
import { type Config, ConfigError, type DatabaseConfig, readSettings } from '../config/config.ts';
import { Consumer } from '../engine/queue/consumer.ts';
import { redisList } from '../engine/queue/redis-work-queue.ts';
import { Readiness } from '../engine/readiness.ts';
import { systemClock } from '../lib/clock.ts';
import { type OptionValues, runCommand, whole } from '../lib/command-line.ts';
import { systemRandom } from '../lib/random.ts';
import { stopSignal } from '../lib/stop-signal.ts';
import type { Log } from '../observability/log.ts';
import { createLog } from '../observability/pino-log.ts';
import { createMetrics } from '../observability/prometheus/exposition.ts';
import { httpTelemetry } from '../observability/telemetry.ts';
import { localLiveBus } from '../realtime/live-bus.ts';
import { redisLiveBus } from '../realtime/redis/redis-live-bus.ts';
import { StoreUnavailableError } from '../storage/store.ts';
import type { FailingSupplier } from '../suppliers/suppliers.ts';

const options = {
  port: whole('port', 'Serves /metrics, /healthz and /readyz at this port; 0 takes any free one.', {
    max: 65_535,
  }),
};

const command = {
  name: 'npm run consumer',
  about:
    'Books what servers with ENGINE=queue have stored, one order after the other. It reads the settings that they\n' +
    'read: DATABASE_URL and REDIS_URL must be theirs, and the suppliers too. Several may run; one is enough. On\n' +
    'SIGTERM or SIGINT it finishes the order at hand, for ten seconds at most. Exits 0 then, 2 when it cannot start.',
  options,
};

/** What tells whether the consumer can do its work. */
interface Condition {
  readonly readinessProblems: () => Promise<string[]>;
  readonly failing: () => readonly FailingSupplier[];
}

/** Interval between attempts to reach the store at the start. */
const retryMs = 1_000;

async function run({ port }: OptionValues<typeof options>): Promise<number> {
  const config = readSettings();
  const log = createLog({ level: config.logLevel, instanceId: config.instanceId });
  const stop = stopSignal(1);
  const composed = await composeConsumer(config, log, port, stop);
  if (composed === undefined) return 0;
  const { consumer, close } = composed;
  const running = consumer.run();
  console.log('the consumer takes orders');
  if (!stop.aborted) await once(stop, 'abort');
  log.info({ reason: String(stop.reason) }, 'draining');
  await consumer.stop();
  await running;
  await close();
  return 0;
}

/** @returns nothing if it is stopped while it waits for the store. */
async function composeConsumer(config: Config, log: Log, port: number | undefined, stop: AbortSignal) {
  const { database, redisUrl, instanceId: instance } = config;
  if (database.kind === 'sqlite') {
    const allowed = 'SQLite serves one process alone; the consumer needs the MongoDB of its servers.';
    throw new ConfigError([{ setting: 'DATABASE_URL', value: `sqlite:${database.file}`, allowed }]);
  }
  if (redisUrl === undefined) {
    const allowed = 'the consumer needs the Redis of its servers.';
    throw new ConfigError([{ setting: 'REDIS_URL', value: '', allowed }]);
  }
  const clock = systemClock;
  const random = systemRandom();
  const metrics = createMetrics();
  // Its health is served while it waits for the store: whoever starts it must not take it for dead.
  let condition: Condition = {
    readinessProblems: async () => ['the store cannot be reached'],
    failing: () => [],
  };
  const readinessProblems = () => condition.readinessProblems();
  const sources = { readinessProblems, failing: () => condition.failing() };
  const telemetry = httpTelemetry({ metrics }, { ...config, engine: 'queue' }, sources);
  const monitoring =
    port === undefined
      ? undefined
      : await serveMonitoring({ config, port, log, telemetry, readinessProblems });
  if (monitoring !== undefined) console.log(`the consumer serves /metrics at port ${monitoring.port}`);
  const store = await openWhenReachable(database, log, stop).catch(async (error: unknown) => {
    await monitoring?.close();
    throw error;
  });
  if (store === undefined) {
    await monitoring?.close();
    return undefined;
  }
  const connect = redisConnector(redisUrl, instance, log);
  const liveBus = redisLiveBus({ local: localLiveBus(log), connect, instance, clock, log });
  const workQueue = redisList({ connect });
  const { suppliers } = composeSuppliers(config.suppliers, store.ledger, log, { metrics });
  const consumer = new Consumer({ store, workQueue, suppliers, liveBus, clock, random, log, metrics });
  const readiness = new Readiness({ store, clock });
  condition = {
    readinessProblems: () =>
      readiness.problems({ isDraining: consumer.isStopping, isTransportAvailable: workQueue.available }),
    failing: () => suppliers.failing,
  };
  const close = async () => {
    await monitoring?.close();
    suppliers.close();
    await Promise.all([workQueue.close(), liveBus.close()]);
    await store.close();
  };
  return { consumer, close };
}

/** Opens the store. If it does not answer, tries again until it does. @returns nothing if it is stopped before. */
async function openWhenReachable(
  database: DatabaseConfig,
  log: Log,
  stop: AbortSignal,
): Promise<OpenStore | undefined> {
  for (let isFirst = true; !stop.aborted; isFirst = false) {
    try {
      return await openStore(database, { log });
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      if (isFirst) log.warn({}, `waiting for the store, which cannot be reached: ${error.message}`);
      await pause(retryMs, undefined, { signal: stop }).catch(() => {});
    }
  }
  return undefined;
}

if (import.meta.main) await runCommand(command, run);
