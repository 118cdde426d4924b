import { setTimeout as pause } from 'node:timers/promises';
import { redisConnector } from '../cluster/redis/connector.ts';
import { type Monitoring, serveMonitoring } from '../compose/monitoring.ts';
import { type OpenStore, openStore } from '../compose/store.ts';
import { composeSuppliers } from '../compose/suppliers.ts';
import { type Config, ConfigError, type DatabaseConfig, readSettings } from '../config/config.ts';
import { Consumer } from '../engine/queue/consumer.ts';
import { redisList } from '../engine/queue/redis-work-queue.ts';
import { Readiness } from '../engine/readiness.ts';
import { systemClock } from '../lib/clock.ts';
import { type OptionValues, runCommand, whole } from '../lib/command-line.ts';
import { systemRandom } from '../lib/random.ts';
import { onStopSignals } from '../lib/stop-signal.ts';
import type { Log } from '../observability/log.ts';
import { createLog } from '../observability/pino-log.ts';
import { createMetrics } from '../observability/prometheus/exposition.ts';
import { httpTelemetry } from '../observability/telemetry.ts';
import { localLiveBus } from '../realtime/live-bus.ts';
import { redisLiveBus } from '../realtime/redis/redis-live-bus.ts';
import { StoreUnavailableError } from '../storage/store.ts';

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

/** Interval between attempts to reach the store at the start. */
const retryMs = 1_000;

async function run({ port }: OptionValues<typeof options>): Promise<number> {
  const config = readSettings();
  const log = createLog({ level: config.logLevel, instanceId: config.instanceId });
  const { consumer, monitoring, close } = await composeConsumer(config, log, port);
  const signal = stopSignal();
  const running = consumer.run();
  console.log('the consumer takes orders');
  if (monitoring !== undefined) console.log(`it serves /metrics at port ${monitoring.port}`);
  log.info({ signal: await signal }, 'draining');
  await consumer.stop();
  await running;
  await close();
  return 0;
}

async function composeConsumer(config: Config, log: Log, port: number | undefined) {
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
  const store = await openWhenReachable(database, log);
  const connect = redisConnector(redisUrl, instance, log);
  const liveBus = redisLiveBus({ local: localLiveBus(log), connect, instance, clock, log });
  const workQueue = redisList({ connect });
  const metrics = createMetrics();
  const { suppliers } = composeSuppliers(config.suppliers, store.ledger, log, { metrics });
  const consumer = new Consumer({ store, workQueue, suppliers, liveBus, clock, random, log, metrics });
  const readiness = new Readiness({ store, clock });
  const readinessProblems = () =>
    readiness.problems({ isDraining: consumer.isStopping, isTransportAvailable: workQueue.available });
  const sources = { readinessProblems, failing: () => suppliers.failing };
  const telemetry = httpTelemetry({ metrics }, { ...config, engine: 'queue' }, sources);
  let monitoring: Monitoring | undefined;
  const close = async () => {
    await monitoring?.close();
    suppliers.close();
    await Promise.all([workQueue.close(), liveBus.close()]);
    await store.close();
  };
  try {
    if (port !== undefined)
      monitoring = await serveMonitoring({ config, port, log, telemetry, readinessProblems });
  } catch (error) {
    await close();
    throw error;
  }
  return { consumer, monitoring, close };
}

/** Opens the store. If it does not answer, tries again until it does. */
async function openWhenReachable(database: DatabaseConfig, log: Log): Promise<OpenStore> {
  for (let isFirst = true; ; isFirst = false) {
    try {
      return await openStore(database, { log });
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      if (isFirst) log.warn({}, `waiting for the store, which cannot be reached: ${error.message}`);
      await pause(retryMs);
    }
  }
}

/** Resolves with the first signal to stop. A second signal ends the process at once. */
function stopSignal(): Promise<string> {
  return new Promise((resolve) => onStopSignals(resolve, { again: () => process.exit(1) }));
}

if (import.meta.main) await runCommand(command, run);
