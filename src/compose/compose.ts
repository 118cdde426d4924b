import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Config } from '../config/config.ts';
import type { Order } from '../domain/order.ts';
import { samplePackages } from '../domain/travel-package.ts';
import type { BookingEngine } from '../engine/engine.ts';
import type { HttpSettings } from '../http/app-services.ts';

import { listenAt, listenInsteadOf } from '../http/server/listen.ts';
import { createServer, gracefulStop, sendHsts } from '../http/server/server.ts';
import { requestObserver } from '../http/telemetry/observe-requests.ts';
import { systemClock as clock } from '../lib/clock.ts';
import { settlesWithin } from '../lib/deadline.ts';
import { defined } from '../lib/defined.ts';
import { systemRandom } from '../lib/random.ts';
import type { Log } from '../observability/log.ts';
import { packageFigures } from '../observability/prometheus/exposition.ts';
import { httpTelemetry, openTelemetry, type Telemetry } from '../observability/telemetry.ts';
import type { Store } from '../storage/store.ts';
import { openAdmin } from './admin.ts';
import { createApp } from './app.ts';
import { openCluster, openLiveBus, startEngine } from './engine.ts';
import { openProtection } from './limits.ts';
import { noticeChannelsOf, openNotifications } from './notifications.ts';
import { openPayments } from './payments.ts';
import { closeAfterFailure, startStep } from './start-step.ts';
import { type OpenStore, openStore } from './store.ts';
import { composeSuppliers } from './suppliers.ts';

/** A complete instance that is ready to listen. */
export interface Instance {
  readonly engine: BookingEngine;
  readonly server: Server;
  /** Starts to listen and returns the port. @throws Error if the port is in use. */
  listen(port: number, host?: string): Promise<number>;
  /** Takes over the port of a server that is already listening, without refusing a connection. */
  listenInsteadOf(other: Server): Promise<number>;
  /** Drains: readiness fails, requests in flight are answered, sockets are told to reconnect, and everything closes. */
  close(): Promise<void>;
}

interface ComposeOptions {
  readonly config: Config;
  readonly log: Log;
  /**
   * Called when another process changes the same packages although this instance has no leases. The process must then
   * end.
   */
  readonly onFenced?: (packageId: number) => void;
  /** Called when another running instance has the id of this one: this one must end. */
  readonly onDuplicate?: () => void;
  /** Called when an operator drains the instance. The caller has to close it. */
  readonly onDrain?: () => void;
}

/** How long a stop waits for requests in flight. With several instances a request may wait for another owner. */
const answersTimeoutMs = { oneInstance: 2_000, severalInstances: 11_000 };
/** How long a stop waits for the last answers to be sent, after all waiting callers were answered. */
const lastAnswersMs = 500;
/** Within this time a load balancer notices that this instance is not ready. */
const noticeMs = 500;

/**
 * Makes an instance. Only this folder chooses the implementations of ports.
 * @throws StoreUnavailableError if the store's server does not answer.
 * @throws Error with a message of one line if another step of the start fails.
 */
export async function compose(options: ComposeOptions): Promise<Instance> {
  const { config, log } = options;
  const store = await openStore(config.database, {
    ...{ log, countsEmails: config.ordersPerEmail > 0 },
    noticeChannels: noticeChannelsOf(config),
  });
  const telemetry = await startStep('loading the telemetry', openTelemetry(config, log));
  try {
    await startStep('putting the sample packages into the store', fillIfEmpty(store, log));
    return await assemble(options, store, telemetry);
  } catch (error) {
    await closeAfterFailure(store.close(), telemetry.close());
    throw error;
  }
}

async function fillIfEmpty(store: Store, log: Log): Promise<void> {
  if ((await store.lastPackageId()) > 0) return;
  const added = await store.addPackages(samplePackages);
  if (added.length > 0) log.info({ packages: added }, 'the store was empty: it got the sample packages');
}

async function assemble(options: ComposeOptions, store: OpenStore, telemetry: Telemetry): Promise<Instance> {
  const { config, log, onFenced, onDuplicate, onDrain } = options;
  const { metrics, tracing } = telemetry;
  const observers = { metrics, ...defined({ tracing }) };
  const random = systemRandom();
  // Read the secret before the engine starts, because nothing would stop the engine if the read failed.
  const settings = await startStep('reading the secret from the store', httpSettings(config, store));
  // Buyers come to a server that listens, so its port is known by then.
  const localOrigin = () =>
    `http://localhost:${(server.address() as AddressInfo | null)?.port ?? config.port}`;
  const origin = () => settings.publicOrigin ?? localOrigin();
  const opening = openPayments({
    ...{ config, settings, log, ledger: store.ledger.payments, ...defined({ tracing }) },
    origin,
    receive: async ({ headers, body }) => {
      const answer = await app.request('/api/payments/events', { method: 'POST', headers, body });
      return answer.status;
    },
  });
  const payments = await startStep('opening the payments', opening);
  const { simulated, suppliers } = composeSuppliers(
    config.suppliers,
    store.ledger,
    log,
    observers,
    payments?.client,
  );
  const notifications = await startStep(
    'loading the notifications',
    openNotifications({ config, store: store.outbox, secret: settings.secret, origin, log, metrics }),
  );
  const cluster = await startStep('loading the Redis client', openCluster(config, log));
  const liveBus = openLiveBus(config, cluster, log);
  // Before the engine, which gives packages that owe notices an owner.
  void notifications?.run();
  const running = await startEngine({
    config,
    log,
    ...defined({ onFenced, onDuplicate, notifications }),
    store,
    suppliers,
    payments: payments?.rules,
    liveBus,
    cluster,
    ...observers,
  });
  const { engine, hasOthers } = running;
  const sources = {
    packages: () => packageFigures(engine),
    readinessProblems: () => engine.readinessProblems(),
    failing: () => suppliers.failing,
  };
  const shown = { log, telemetry: httpTelemetry(telemetry, config, sources) };
  await startStep('loading the export of metrics', telemetry.push(sources));
  const protection = await startStep(
    'setting up the rate limits',
    openProtection(config, cluster?.connect, log),
  );
  const sockets = (): number => live.viewers;
  const admin = openAdmin({ config, log, store, engine, suppliers, settings, sockets, onDrain });
  const { app, live } = createApp({
    engine,
    liveBus,
    suppliers: simulated,
    clock,
    random,
    settings,
    ...defined({ payments: payments && { ...payments.http, lookUp: (order: Order) => engine.retry(order) } }),
    ...protection.deps,
    ...admin.deps,
    ...shown,
  });
  metrics.gauge('sockets', sockets);
  const server = createServer(app, log, requestObserver(app, shown));
  sendHsts(server, settings.publicOrigin);
  protection.attach(server);
  live.attach(server);
  const stopServing = gracefulStop(server);
  const close = async () => {
    await admin.leaving();
    await engine.drain();
    const delivered = notifications?.close();
    await admin.left();
    // Answer requests until a load balancer has noticed that this instance is not ready.
    if (hasOthers) await clock.sleep(noticeMs);
    const answered = stopServing();
    const timeoutMs = hasOthers ? answersTimeoutMs.severalInstances : answersTimeoutMs.oneInstance;
    await Promise.all([live.stop(), settlesWithin(timeoutMs, answered)]);
    // Callers that wait for an outcome get the current state of their order. Requests still being received are cut off.
    engine.close();
    await settlesWithin(lastAnswersMs, answered);
    server.closeAllConnections();
    await settlesWithin(lastAnswersMs, answered);
    suppliers.close();
    admin.close();
    await Promise.all([running.close(), liveBus.close(), protection.close(), delivered]);
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

async function httpSettings(config: Config, store: Store): Promise<HttpSettings> {
  const { instanceId, currency, publicOrigin, suppliers, notifications } = config;
  const makeSecret = () => Buffer.from(systemRandom().bytes(32)).toString('base64url');
  return {
    instanceId,
    currency,
    secret: config.secret ?? (await store.setting('secret', makeSecret)),
    publicSuppliers: suppliers.arePublic,
    sendsMails: notifications.mail !== undefined,
    ...defined({ suppliersToken: suppliers.token, publicOrigin }),
  };
}
