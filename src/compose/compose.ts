import { stat } from 'node:fs/promises';
import type { Server } from 'node:http';
import { dirname } from 'node:path';
import type { Leases } from '../cluster/lease.ts';
import { localLeases } from '../cluster/local-leases.ts';
import type { RedisConnector } from '../cluster/redis/connector.ts';
import type { Config, DatabaseConfig, SuppliersConfig } from '../config/config.ts';
import { defaultRejectionsMax } from '../domain/decide.ts';
import { samplePackages } from '../domain/travel-package.ts';
import { ActorEngine } from '../engine/actor/actor-engine.ts';
import type { BookingEngine } from '../engine/engine.ts';
import type { OperatedEngine } from '../engine/operated-engine.ts';
import type { HttpSettings } from '../http/app-services.ts';

import { listenAt, listenInsteadOf } from '../http/server/listen.ts';
import { createServer, gracefulStop, sendHsts } from '../http/server/server.ts';
import { requestObserver } from '../http/telemetry/observe-requests.ts';
import { systemClock as clock } from '../lib/system-clock.ts';
import { systemRandom } from '../lib/system-random.ts';
import type { Log } from '../observability/log.ts';
import type { Metrics } from '../observability/metrics.ts';
import { httpTelemetry, openTelemetry, type Telemetry } from '../observability/telemetry.ts';
import type { Tracing } from '../observability/tracing.ts';
import { localLiveBus } from '../realtime/bus/local.ts';
import type { LiveBus } from '../realtime/live-bus.ts';
import { openSqliteStore } from '../storage/sqlite/sqlite-store.ts';
import { type Store, StoreUnavailableError } from '../storage/store.ts';
import { httpSuppliers } from '../suppliers/http-suppliers.ts';
import { resilientSuppliers } from '../suppliers/resilient-suppliers.ts';
import { simulatedSuppliers } from '../suppliers/simulated-suppliers.ts';
import type { SupplierClient, SupplierLedger, Suppliers } from '../suppliers/suppliers.ts';
import { openAdmin } from './admin.ts';
import { createApp } from './app.ts';
import { openProtection } from './limits.ts';
import { startStep } from './start-step.ts';

/** A whole instance, ready to listen. */
export interface Instance {
  readonly engine: BookingEngine;
  readonly server: Server;
  /** Starts to listen and returns the port. @throws Error when the port is taken. */
  listen(port: number, host?: string): Promise<number>;
  /** Takes over from a server that listens already: no caller is turned away in between. */
  listenInsteadOf(other: Server): Promise<number>;
  /** Readiness fails first; then callers in flight get their answers, sockets are told to come back, all is closed. */
  close(): Promise<void>;
}

export interface ComposeOptions {
  readonly config: Config;
  readonly log: Log;
  /** Called when the instance must not go on: another one works on the same packages, and no lease keeps them apart. */
  readonly onFenced?: (packageId: number) => void;
  /** Called when an operator has the instance leave: whoever runs it closes it then. */
  readonly onDrain?: () => void;
}

/** A store with the memory of the simulated suppliers in it. */
export type OpenStore = Store & { readonly ledger: SupplierLedger };

/** An engine with what only it needs of the outside. */
interface RunningEngine {
  readonly engine: OperatedEngine & { start(): Promise<void>; close(): void };
  /** Whether others go on with what this instance leaves. */
  readonly hasOthers: boolean;
  readonly close: () => Promise<unknown>;
}

/** What every engine is made of. */
interface Parts {
  readonly options: ComposeOptions;
  readonly store: OpenStore;
  readonly suppliers: Suppliers;
  readonly liveBus: LiveBus;
  readonly metrics: Telemetry['metrics'];
  readonly tracing?: Tracing;
  /** Undefined where the instance is alone. */
  readonly cluster: Cluster | undefined;
}

/** How an instance reaches the others, and what it is made of then. */
interface Cluster {
  readonly modules: Awaited<ReturnType<typeof loadClusterModules>>;
  readonly connect: RedisConnector;
}

/** How old a snapshot may be that refuses a purchase without asking the owner. */
const snapshotMaxAgeMs = 250;
/** How long a stop waits for the answers under way, and then for the last of them. */
const answersPatienceMs = { alone: 2_000, amongOthers: 11_000 };
const lastAnswersMs = 500;
const noticeMs = 500;
/** How long a failed start waits for what it had opened. */
const closingTimeoutMs = 5_000;

/**
 * Opens the store that a configuration names.
 * @throws StoreUnavailableError when its server does not answer.
 * @throws Error with one line that says what is wrong with it.
 */
export async function openStore(
  database: DatabaseConfig,
  options: { readOnly?: boolean; countsEmails?: boolean; log?: Log } = {},
): Promise<OpenStore> {
  const { log, ...others } = options;
  try {
    if (database.kind === 'sqlite') {
      const { file } = database;
      // SQLite's calls are synchronous: on a silent network file system they would block the process. So look first.
      await startStep(
        `looking at ${file}`,
        stat(dirname(file)).catch(() => undefined),
      );
      return openSqliteStore({ file, ...others });
    }
    // The driver is loaded where it is used: it takes memory, and time at the start.
    const { openMongoStore } = await import('../storage/mongodb/mongo-store.ts');
    return await startStep('opening the store', openMongoStore({ url: database.url, ...options }), {
      error: (message) => new StoreUnavailableError(message),
      late: (store) => store.close(),
    });
  } catch (error) {
    if (error instanceof StoreUnavailableError || !(error instanceof Error)) throw error;
    throw new Error(`DATABASE_URL cannot be used: ${error.message}`, { cause: error });
  }
}

/** The only place that chooses adapters. */
export async function compose(options: ComposeOptions): Promise<Instance> {
  const { database, ordersPerEmail } = options.config;
  const store = await openStore(database, { log: options.log, countsEmails: ordersPerEmail > 0 });
  const telemetry = await startStep('loading the telemetry', openTelemetry(options.config, options.log));
  try {
    await startStep('putting the sample packages into the store', fillIfEmpty(store, options.log));
    return await assemble(options, store, telemetry);
  } catch (error) {
    await closed(store.close(), telemetry.close());
    throw error;
  }
}

/** Closes after a failed start. Has a time limit, so that a hanging close cannot hide why the start failed. */
async function closed(...closing: Promise<unknown>[]): Promise<void> {
  await startStep('closing', Promise.allSettled(closing), { timeoutMs: closingTimeoutMs }).catch(() => {});
}

async function fillIfEmpty(store: Store, log: Log): Promise<void> {
  if ((await store.packages()).length > 0) return;
  const added = await store.addPackages(samplePackages);
  if (added.length > 0) log.info({ packages: added }, 'the store was empty: it got the sample packages');
}

async function assemble(options: ComposeOptions, store: OpenStore, telemetry: Telemetry): Promise<Instance> {
  const { config, log } = options;
  const { metrics, tracing } = telemetry;
  const observers = { metrics, ...(tracing === undefined ? {} : { tracing }) };
  const random = systemRandom();
  // Before anything runs: an engine that nobody stops would go on beside the next try.
  const settings = await startStep('reading the secret from the store', httpSettings(config, store));
  const { simulated, suppliers } = composeSuppliers(config.suppliers, store.ledger, log, observers);
  const cluster = await startStep('loading the Redis client', openCluster(config, log));
  const liveBus = openLiveBus(config, cluster, log);
  const running = await startEngine({ options, store, suppliers, liveBus, cluster, ...observers });
  const { engine, hasOthers } = running;
  const shown = { log, telemetry: httpTelemetry(telemetry, config, engine) };
  const protection = await startStep(
    'setting up the rate limits',
    openProtection(config, cluster?.connect, log),
  );
  const { onDrain } = options;
  const sockets = (): number => live.viewers;
  const operations = openAdmin({ config, log, store, engine, settings, sockets, onDrain });
  const { app, live } = createApp({
    engine,
    liveBus,
    suppliers: simulated,
    clock,
    random,
    settings,
    ...protection.deps,
    ...operations.deps,
    ...shown,
  });
  metrics.gauge('sockets', sockets);
  const server = createServer(app, log, requestObserver(app, shown));
  sendHsts(server, settings.publicOrigin);
  protection.attach(server);
  live.attach(server);
  const stopServing = gracefulStop(server);
  const close = async () => {
    await engine.drain();
    await operations.left();
    // A load balancer sends callers here until it sees that this instance is not ready: they are still answered.
    if (hasOthers) await clock.sleep(noticeMs);
    const answered = stopServing();
    const patienceMs = hasOthers ? answersPatienceMs.amongOthers : answersPatienceMs.alone;
    await Promise.all([live.stop(), Promise.race([answered, clock.sleep(patienceMs)])]);
    // Whoever still waits for an outcome hears how things stand; whoever still sends a request is cut off.
    engine.close();
    await Promise.race([answered, clock.sleep(lastAnswersMs)]);
    server.closeAllConnections();
    await Promise.race([answered, clock.sleep(lastAnswersMs)]);
    suppliers.close();
    operations.close();
    await Promise.all([running.close(), liveBus.close(), protection.close()]);
    await Promise.all([store.close(), telemetry.close()]);
  };
  return {
    engine,
    server,
    listen: (port, host) => startStep(`listening on port ${port}`, listenAt(server, { port, host })),
    listenInsteadOf: (other) => startStep('taking over the port', listenInsteadOf(server, other)),
    close,
  };
}

async function openCluster({ redisUrl, instanceId }: Config, log: Log): Promise<Cluster | undefined> {
  if (redisUrl === undefined) return undefined;
  const modules = await loadClusterModules();
  return { modules, connect: modules.redisConnector(redisUrl, instanceId, log) };
}

/** Loaded only where there are several instances: all of this takes memory, and time at the start. */
async function loadClusterModules() {
  const [redis, leases, liveBus, list, messages, lock, queue] = await Promise.all([
    import('../cluster/redis/connector.ts'),
    import('../cluster/redis/redlock-leases.ts'),
    import('../realtime/redis/redis-live-bus.ts'),
    import('../engine/queue/redis-work-queue.ts'),
    import('../cluster/redis/redis-messages.ts'),
    import('../engine/lock/lock-engine.ts'),
    import('../engine/queue/queue-engine.ts'),
  ]);
  return { ...redis, ...leases, ...liveBus, ...list, ...messages, ...lock, ...queue };
}

async function startEngine(parts: Parts): Promise<RunningEngine> {
  const running = chooseEngine(parts);
  try {
    const step = `starting the engine${running.hasOthers ? ', which joins the others over Redis' : ''}`;
    await startStep(step, running.engine.start());
    return running;
  } catch (error) {
    running.engine.close();
    await closed(running.close(), parts.liveBus.close());
    throw error;
  }
}

function chooseEngine({ options, cluster, ...parts }: Parts): RunningEngine {
  const { config, log, onFenced } = options;
  const common = {
    ...parts,
    clock,
    random: systemRandom(),
    log,
    rules: {
      waitersPerUnit: config.waitersPerUnit,
      ordersPerEmail: config.ordersPerEmail,
      rejectionsMax: defaultRejectionsMax,
    },
    // SQLite serves this process alone, so what the live bus tells is all there is.
    snapshotMaxAgeMs: config.database.kind === 'sqlite' ? Number.POSITIVE_INFINITY : snapshotMaxAgeMs,
  };
  const { instanceId: instance } = config;
  if (cluster === undefined) {
    const fenced = onFenced === undefined ? {} : { onFenced };
    const engine = new ActorEngine({ ...common, instance, leases: localLeases(), ...fenced });
    return { engine, hasOthers: false, close: async () => {} };
  }
  const { connect, modules } = cluster;
  if (config.engine === 'queue') {
    const workQueue = modules.redisList({ connect });
    return {
      engine: new modules.QueueEngine({ ...common, workQueue }),
      hasOthers: true,
      close: () => workQueue.close(),
    };
  }
  const leases = openLeases(config, cluster, log);
  if (config.engine === 'lock') {
    return {
      engine: new modules.LockEngine({ ...common, leases }),
      hasOthers: true,
      close: () => leases.close(),
    };
  }
  const { metrics } = parts;
  const messages = modules.redisMessages({ connect, instance, clock, random: systemRandom(), log, metrics });
  const engine = new ActorEngine({ ...common, instance, leases, messages });
  return { engine, hasOthers: true, close: () => Promise.all([messages.close(), leases.close()]) };
}

function openLeases(
  { redisUrl, redlockUrls, instanceId, leaseTtlMs: ttlMs }: Config,
  { modules }: Cluster,
  log: Log,
): Leases {
  const urls = redlockUrls ?? (redisUrl === undefined ? [] : [redisUrl]);
  const nodes = urls.map((url) => modules.redisConnector(url, instanceId, log));
  return modules.redlockLeases({ nodes, ttlMs, clock, log });
}

function openLiveBus({ instanceId: instance }: Config, cluster: Cluster | undefined, log: Log): LiveBus {
  const local = localLiveBus(log);
  if (cluster === undefined) return local;
  const { connect, modules } = cluster;
  return modules.redisLiveBus({ local, connect, instance, clock, log });
}

async function httpSettings(config: Config, store: Store): Promise<HttpSettings> {
  const { instanceId, currency, publicOrigin, suppliers } = config;
  const makeSecret = () => Buffer.from(systemRandom().bytes(32)).toString('base64url');
  return {
    instanceId,
    currency,
    secret: config.secret ?? (await store.setting('secret', makeSecret)),
    ...(suppliers.token === undefined ? {} : { suppliersToken: suppliers.token }),
    ...(publicOrigin === undefined ? {} : { publicOrigin }),
  };
}

/** The simulated suppliers, and the ones that are booked at: these, or those behind a URL. */
export function composeSuppliers(
  config: SuppliersConfig,
  ledger: SupplierLedger,
  log: Log,
  observers: Pick<Parts, 'tracing'> & { readonly metrics?: Metrics } = {},
) {
  const { url, token, timeoutMs, flightFailureRate, hotelFailureRate, latencyMs } = config;
  const random = systemRandom();
  const chances = { flightFailureRate, hotelFailureRate, latencyMs };
  const simulated = simulatedSuppliers({ ledger, random, clock, ...chances });
  const client: SupplierClient =
    url === undefined
      ? simulated
      : httpSuppliers({ url, ...(token === undefined ? {} : { token }), ...observers });
  return {
    simulated,
    suppliers: resilientSuppliers({ client, clock, random, log, timeoutMs, ...observers }),
  };
}
