import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { localLeases } from './adapters/lease/local.ts';
import { localLiveBus } from './adapters/live/local.ts';
import { openSqliteStore, type SqliteStore } from './adapters/store/sqlite/sqlite-store.ts';
import { httpSuppliers } from './adapters/suppliers/http.ts';
import { resilientSuppliers } from './adapters/suppliers/resilient.ts';
import { simulatedSuppliers } from './adapters/suppliers/simulated.ts';
import { systemClock } from './adapters/system/clock.ts';
import { systemRandom } from './adapters/system/random.ts';
import { ActorEngine } from './booking/engine.ts';
import { samplePackages } from './domain/sample.ts';
import { createApp } from './http/app.ts';
import { createServer } from './http/server.ts';
import { stopperOf } from './http/stopper.ts';
import { type Config, ConfigError, type DatabaseConfig, type SuppliersConfig } from './ops/config.ts';
import type { Log } from './ports/log.ts';
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

/** How many refusals one commit takes when everything is sold: a transaction of this size stays below 100 ms. */
const rejectionsMax = 500;

/**
 * Opens the store that a configuration names.
 * @throws Error with one line that says what is wrong with it.
 */
export function openStore(database: DatabaseConfig, options: { readOnly?: boolean } = {}): SqliteStore {
  if (database.kind === 'sqlite') return openSqliteStore({ file: database.file, ...options });
  throw new ConfigError(
    'DATABASE_URL',
    'mongodb://…',
    'this release stores in SQLite: sqlite:./data/booking.db',
  );
}

/** How long a stop waits for the answers under way, and then for the last of them. */
const answersPatienceMs = 2_000;
const lastAnswersMs = 500;

/** The only place that chooses adapters. */
export async function compose(config: Config, log: Log): Promise<Instance> {
  const store = openStore(config.database);
  try {
    await fillIfEmpty(store, log);
    const instance = await assemble(config, log, store);
    await instance.engine.start();
    return instance;
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function fillIfEmpty(store: SqliteStore, log: Log): Promise<void> {
  if ((await store.packages()).length > 0) return;
  const added = await store.addPackages(samplePackages);
  log.info({ packages: added }, 'the store was empty: it got the sample packages');
}

async function assemble(config: Config, log: Log, store: SqliteStore): Promise<Instance> {
  const clock = systemClock;
  const random = systemRandom();
  const liveBus = localLiveBus(log);
  const simulated = simulate(config.suppliers, store.ledger);
  const suppliers = resilientSuppliers({
    client: supplierClient(config.suppliers, simulated),
    clock,
    random,
    log,
    timeoutMs: config.suppliers.timeoutMs,
  });
  const engine = new ActorEngine({
    store,
    suppliers,
    liveBus,
    clock,
    random,
    log,
    leases: localLeases(),
    instance: config.instanceId,
    rules: { waitersPerUnit: config.waitersPerUnit, ordersPerEmail: config.ordersPerEmail, rejectionsMax },
    // SQLite serves this process alone, so what the live bus tells is all there is.
    snapshotMaxAgeMs: Number.POSITIVE_INFINITY,
  });
  const settings = {
    instanceId: config.instanceId,
    secret:
      config.secret ??
      (await store.setting('secret', () => Buffer.from(random.bytes(32)).toString('base64url'))),
    currency: config.currency,
    ...(config.suppliers.token === undefined ? {} : { suppliersToken: config.suppliers.token }),
    ...(config.publicOrigin === undefined ? {} : { publicOrigin: config.publicOrigin }),
  };
  const { app, live } = createApp({ engine, liveBus, suppliers: simulated, clock, random, log, settings });
  const server = createServer(app, log);
  live.attach(server);
  const stopServing = stopperOf(server);
  const close = async () => {
    const draining = engine.drain();
    const answered = stopServing();
    await live.stop();
    await draining;
    await Promise.race([answered, clock.sleep(answersPatienceMs)]);
    // Whoever still waits for an outcome hears how things stand; whoever still sends a request is cut off.
    engine.close();
    await Promise.race([answered, clock.sleep(lastAnswersMs)]);
    server.closeAllConnections();
    await Promise.race([answered, clock.sleep(lastAnswersMs)]);
    suppliers.close();
    await liveBus.close();
    await store.close();
  };
  return { engine, server, listen: (port, host) => listen(server, port, host), close };
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
