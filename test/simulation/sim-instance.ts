import type { PackageRules } from '../../src/domain/decide.ts';
import { ActorEngine } from '../../src/engine/actor/actor-engine.ts';
import { defined } from '../../src/lib/defined.ts';
import type { Dispatcher } from '../../src/notifications/dispatcher.ts';
import { type Log, silentLog } from '../../src/observability/log.ts';
import { type ApiCancel, apiCancels } from './api-cancel.ts';
import { type EventReceiver, eventReceiver } from './event-receiver.ts';
import { type LookUp, lookUps } from './look-up.ts';
import type { Network } from './network.ts';
import { type LeaseCore, simLeases } from './sim-leases.ts';
import { type Receivers, simNotifications } from './sim-notices.ts';
import type { PaymentCore } from './sim-payments.ts';
import { type StoreCore, type StoreOutage, simStore } from './sim-store.ts';
import { type SupplierCore, simSuppliers } from './sim-suppliers.ts';
import { openNode } from './simulated-node.ts';
import type { SimHost, World } from './world.ts';

/** The services that all instances share. */
export interface Services {
  readonly store: StoreCore;
  readonly leases: LeaseCore;
  readonly suppliers: SupplierCore;
  /** Undefined if payments are off. */
  readonly payments: PaymentCore | undefined;
  readonly network: Network;
  readonly isAway: StoreOutage;
  /** Who is told of the events of orders; absent if nobody is. */
  readonly receivers?: Receivers;
}

export interface SimInstance {
  readonly host: SimHost;
  readonly engine: ActorEngine;
  readonly notifications: Dispatcher | undefined;
  /** Whether the instance accepts customers. */
  isReady: boolean;
  readonly lookUp: LookUp;
  readonly cancel: ApiCancel;
  /** Undefined if payments are off. */
  readonly receiveEvent: EventReceiver | undefined;
}

export const leaseTtlMs = 5_000;
/** The same value as in src/compose. */
const snapshotMaxAgeMs = 250;

/** One run of an instance: the production engine over simulated services. */
export function simInstance(
  world: World,
  host: SimHost,
  services: Services,
  rules: PackageRules,
): SimInstance {
  const clock = world.clockOf(host);
  const log = logOf(world, host);
  const suppliers = simSuppliers(world, host, services.suppliers, services.payments, log);
  const { messages, liveBus } = openNode(world, host, services.network, log);
  const { receivers } = services;
  const notifications = receivers && simNotifications(world, host, { ...services, receivers }, log);
  const engine = new ActorEngine({
    store: simStore(world, host, services.store, services.isAway),
    suppliers,
    liveBus,
    clock,
    log,
    instance: host.name,
    rules,
    leases: simLeases({
      world,
      host,
      core: services.leases,
      ttlMs: leaseTtlMs,
      isAway: (who) => services.network.isAway(who),
    }),
    messages,
    random: world.prng.fork(),
    snapshotMaxAgeMs,
    ...defined({ notifications }),
  });
  return {
    host,
    engine,
    notifications,
    isReady: false,
    lookUp: lookUps(engine, clock),
    cancel: apiCancels(engine, clock),
    receiveEvent: services.payments && eventReceiver(engine, clock),
  };
}

/** Returns a log. An error line of the product counts as a bug. */
function logOf(world: World, host: SimHost): Log {
  return {
    ...silentLog,
    error: (fields, message) =>
      world.violate('bug', `${host.name} logs an error: ${message} ${words(fields)}`, causeOf(fields)),
  };
}

function words(fields: object): string {
  const { err, ...others } = fields as { err?: unknown };
  return `${JSON.stringify(others)} ${String(err ?? '')}`;
}

function causeOf(fields: object): unknown {
  return (fields as { err?: unknown }).err;
}
