import { setTimeout as pause } from 'node:timers/promises';
import { redisConnector } from '../cluster/redis/connector.ts';
import { type OpenStore, openStore } from '../compose/store.ts';
import { composeSuppliers } from '../compose/suppliers.ts';
import { type Config, ConfigError, type DatabaseConfig, readSettings } from '../config/config.ts';
import { Consumer } from '../engine/queue/consumer.ts';
import { redisList } from '../engine/queue/redis-work-queue.ts';
import { systemClock } from '../lib/clock.ts';
import { runCommand } from '../lib/command-line.ts';
import { systemRandom } from '../lib/random.ts';
import { onStopSignals } from '../lib/stop-signal.ts';
import type { Log } from '../observability/log.ts';
import { createLog } from '../observability/pino-log.ts';
import { localLiveBus } from '../realtime/live-bus.ts';
import { redisLiveBus } from '../realtime/redis/redis-live-bus.ts';
import { StoreUnavailableError } from '../storage/store.ts';

const command = {
  name: 'npm run consumer',
  about:
    'Books what servers with ENGINE=queue have stored, one order after the other. It reads the settings that they\n' +
    'read: DATABASE_URL and REDIS_URL must be theirs, and the suppliers too. Several may run; one is enough. On\n' +
    'SIGTERM or SIGINT it finishes the order at hand, for ten seconds at most. Exits 0 then, 2 when it cannot start.',
  options: {},
};

/** Interval between attempts to reach the store at the start. */
const retryMs = 1_000;

async function run(): Promise<number> {
  const config = readSettings();
  const log = createLog({ level: config.logLevel, instanceId: config.instanceId });
  const { consumer, close } = await composeConsumer(config, log);
  const signal = stopSignal();
  const running = consumer.run();
  console.log('the consumer takes orders');
  log.info({ signal: await signal }, 'draining');
  await consumer.stop();
  await running;
  await close();
  return 0;
}

async function composeConsumer(config: Config, log: Log) {
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
  const { suppliers } = composeSuppliers(config.suppliers, store.ledger, log);
  const consumer = new Consumer({ store, workQueue, suppliers, liveBus, clock, random, log });
  const close = async () => {
    suppliers.close();
    await Promise.all([workQueue.close(), liveBus.close()]);
    await store.close();
  };
  return { consumer, close };
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
