import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { localLeases } from './adapters/lease/local.ts';
import { redlockLeases } from './adapters/lease/redlock.ts';
import { localLiveBus } from './adapters/live/local.ts';
import { redisLiveBus } from './adapters/live/redis.ts';
import { redisMessages } from './adapters/messages/redis-streams.ts';
import { openMongoStore } from './adapters/store/mongodb/mongo-store.ts';
import { openSqliteStore } from './adapters/store/sqlite/sqlite-store.ts';
import { httpSuppliers } from './adapters/suppliers/http.ts';
import { resilientSuppliers } from './adapters/suppliers/resilient.ts';
import { simulatedSuppliers } from './adapters/suppliers/simulated.ts';
import { systemClock } from './adapters/system/clock.ts';
import { systemRandom } from './adapters/system/random.ts';
import { ActorEngine } from './booking/engine.ts';
import { samplePackages } from './domain/sample.ts';
import { createApp } from './http/app.ts';
import type { HttpSettings } from './http/deps.ts';
import { createServer } from './http/server.ts';
import { stopperOf } from './http/stopper.ts';
import type { Config, DatabaseConfig, SuppliersConfig } from './ops/config.ts';
import { redisConnector } from './ops/redis.ts';
import type { Leases } from './ports/lease.ts';
import type { LiveBus } from './ports/live-bus.ts';
import type { Log } from './ports/log.ts';
import type { Messages } from './ports/messages.ts';
import { type Store, StoreUnavailableError } from './ports/store.ts';
import type { SupplierClient, SupplierLedger } from './ports/suppliers.ts';

/** A whole instance, ready to listen. */
export interface Instance {
  readonly engine: ActorEngine;
  readonly server: Server;
  /** Starts to listen and returns the port. @throws Error when the port is taken. */
  listen(port: number, host?: string): Promise<number>;
  /** Readiness fails first; then callers in flight get their answers, sockets are told to come back, all is closed. */
  close(): Promise<void>;
}

export interface ComposeOptions {
  readonly config: Config;
  readonly log: Log;
  /** Called when the instance must not go on: another one works on the same packages, and no lease keeps them apart. */
  readonly onFenced?: (packageId: number) => void;
}

/** A store with the memory of the simulated suppliers in it. */
export type OpenStore = Store & { readonly ledger: SupplierLedger };

/** What joins an instance to the others; `messages` is absent where it is alone. */
interface Neighbourhood {
  readonly leases: Leases;
  readonly liveBus: LiveBus;
  readonly messages?: Messages;
}

/** How many refusals one commit takes when everything is sold: a transaction of this size stays below 100 ms. */
const rejectionsMax = 500;
/** How old a snapshot may be that refuses a purchase without asking the owner. */
const snapshotMaxAgeMs = 250;
/** How long a stop waits for the answers under way, and then for the last of them. */
const answersPatienceMs = { alone: 2_000, amongOthers: 11_000 };
const lastAnswersMs = 500;
const noticeMs = 500;

/**
 * Opens the store that a configuration names.
 * @throws StoreUnavailableError when its server does not answer.
 * @throws Error with one line that says what is wrong with it.
 */
export async function openStore(
  database: DatabaseConfig,
  options: { readOnly?: boolean; log?: Log } = {},
): Promise<OpenStore> {
  const { log, ...others } = options;
  try {
    if (database.kind === 'sqlite') return openSqliteStore({ file: database.file, ...others });
    return await openMongoStore({ url: database.url, ...options });
  } catch (error) {
    if (error instanceof StoreUnavailableError || !(error instanceof Error)) throw error;
    throw new Error(`DATABASE_URL cannot be used: ${error.message}`, { cause: error });
  }
}

/** The only place that chooses adapters. */
export async function compose(options: ComposeOptions): Promise<Instance> {
  const store = await openStore(options.config.database, { log: options.log });
  try {
    await fillIfEmpty(store, options.log);
    const instance = await assemble(options, store);
    await instance.engine.start();
    return instance;
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function fillIfEmpty(store: Store, log: Log): Promise<void> {
  if ((await store.packages()).length > 0) return;
  const added = await store.addPackages(samplePackages);
  log.info({ packages: added }, 'the store was empty: it got the sample packages');
}

async function assemble({ config, log, onFenced }: ComposeOptions, store: OpenStore): Promise<Instance> {
  const clock = systemClock;
  const random = systemRandom();
  const simulated = simulate(config.suppliers, store.ledger);
  const client = supplierClient(config.suppliers, simulated);
  const suppliers = resilientSuppliers({ client, clock, random, log, timeoutMs: config.suppliers.timeoutMs });
  const neighbourhood = joinOthers(config, log);
  const { liveBus, messages } = neighbourhood;
  const engine = new ActorEngine({
    ...neighbourhood,
    store,
    suppliers,
    clock,
    random,
    log,
    instance: config.instanceId,
    rules: { waitersPerUnit: config.waitersPerUnit, ordersPerEmail: config.ordersPerEmail, rejectionsMax },
    // SQLite serves this process alone, so what the live bus tells is all there is.
    snapshotMaxAgeMs: config.database.kind === 'sqlite' ? Number.POSITIVE_INFINITY : snapshotMaxAgeMs,
    ...(messages === undefined && onFenced !== undefined ? { onFenced } : {}),
  });
  const settings = await httpSettings(config, store);
  const { app, live } = createApp({ engine, liveBus, suppliers: simulated, clock, random, log, settings });
  const server = createServer(app, log);
  live.attach(server);
  await messages?.join();
  const stopServing = stopperOf(server);
  const close = async () => {
    await engine.drain();
    // A load balancer sends callers here until it sees that this instance is not ready: they are still answered.
    if (messages !== undefined) await clock.sleep(noticeMs);
    const answered = stopServing();
    const patienceMs = messages === undefined ? answersPatienceMs.alone : answersPatienceMs.amongOthers;
    await Promise.all([live.stop(), Promise.race([answered, clock.sleep(patienceMs)])]);
    // Whoever still waits for an outcome hears how things stand; whoever still sends a request is cut off.
    engine.close();
    await Promise.race([answered, clock.sleep(lastAnswersMs)]);
    server.closeAllConnections();
    await Promise.race([answered, clock.sleep(lastAnswersMs)]);
    suppliers.close();
    await Promise.all([messages?.close(), neighbourhood.leases.close(), liveBus.close()]);
    await store.close();
  };
  return { engine, server, listen: (port, host) => listen(server, port, host), close };
}

function joinOthers(config: Config, log: Log): Neighbourhood {
  const local = localLiveBus(log);
  const { redisUrl, redlockUrls, instanceId: instance, leaseTtlMs: ttlMs } = config;
  if (redisUrl === undefined) return { leases: localLeases(), liveBus: local };
  const clock = systemClock;
  const connect = redisConnector(redisUrl, instance, log);
  const nodes = (redlockUrls ?? [redisUrl]).map((url) => redisConnector(url, instance, log));
  return {
    leases: redlockLeases({ nodes, ttlMs, clock, log }),
    liveBus: redisLiveBus({ local, connect, instance, clock, log }),
    messages: redisMessages({ connect, instance, clock, random: systemRandom(), log }),
  };
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

function simulate(config: SuppliersConfig, ledger: SupplierLedger): SupplierClient {
  const { flightFailureRate, hotelFailureRate, latencyMs } = config;
  return simulatedSuppliers({
    ledger,
    random: systemRandom(),
    clock: systemClock,
    flightFailureRate,
    hotelFailureRate,
    latencyMs,
  });
}

function supplierClient({ url, token }: SuppliersConfig, simulated: SupplierClient): SupplierClient {
  return url === undefined ? simulated : httpSuppliers({ url, ...(token === undefined ? {} : { token }) });
}

async function listen(server: Server, port: number, host: string | undefined): Promise<number> {
  server.listen({ port, ...(host === undefined ? {} : { host }), backlog: 4096 });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}
