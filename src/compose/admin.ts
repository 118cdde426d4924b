import { AdminAuth, type HttpAdmin } from '../admin/admin-auth.ts';
import { createAdminService } from '../admin/admin-service.ts';
import type { Config } from '../config/config.ts';
import type { OperatedEngine } from '../engine/operated-engine.ts';
import type { HttpSettings } from '../http/app-services.ts';
import { systemClock as clock } from '../lib/clock.ts';
import { systemRandom } from '../lib/random.ts';
import type { Log } from '../observability/log.ts';
import { loadMeter } from '../observability/process-load.ts';
import { programVersion } from '../observability/telemetry.ts';
import { clientResolver } from '../rate-limits/client-address.ts';
import type { OutboxStore } from '../storage/outbox.ts';
import type { Store } from '../storage/store.ts';
import type { ResilientSuppliers } from '../suppliers/resilient-suppliers.ts';
import type { SimulationLedger } from '../suppliers/suppliers.ts';
import { noticeChannelsOf } from './notifications.ts';
import { ledgerOf } from './suppliers.ts';

interface AdminParts {
  readonly config: Config;
  readonly log: Log;
  readonly store: Store & { readonly ledger: SimulationLedger; readonly outbox: OutboxStore };
  readonly engine: OperatedEngine;
  readonly suppliers: Pick<ResilientSuppliers, 'failing'>;
  readonly settings: HttpSettings;
  /** Returns the number of open WebSockets. */
  readonly sockets: () => number;
  /** Drains the process, as SIGTERM does. Absent if the process cannot be drained this way. */
  readonly onDrain?: (() => void) | undefined;
}

interface OpenAdmin {
  /** The dependencies of the admin routes. `admin` is absent if no operator is configured. */
  readonly deps: { readonly admin?: HttpAdmin };
  /**
   * Tells the other instances that this instance drains, so that a long drain does not count as a loss. Never throws.
   */
  leaving(): Promise<void>;
  /** Signs this instance out after its engine has drained, so that it is not shown as lost. Never throws. */
  left(): Promise<void>;
  close(): void;
}

/**
 * Opens the admin service. It is needed without operators too, because an instance with operators may ask for this one's
 * status.
 */
export function openAdmin(parts: AdminParts): OpenAdmin {
  const { config, settings, engine, store, suppliers, log, sockets } = parts;
  const random = systemRandom();
  const meter = loadMeter(clock);
  const service = createAdminService({
    ...{ engine, store, log, clock, random, sockets },
    failing: () => suppliers.failing,
    instance: config.instanceId,
    version: programVersion(),
    processLoad: () => meter.read(),
    leave: parts.onDrain ?? (() => log.warn({}, 'this process cannot be drained from here')),
    queueLimits: config,
    hasOwners: config.engine === 'actor',
    secret: settings.secret,
    ...{ outbox: store.outbox, noticeChannels: noticeChannelsOf(config) },
    ledger: ledgerOf(config, store.ledger),
  });
  const running = {
    leaving: async () => service.register?.leaving(),
    left: async () => service.register?.leave(),
    close: () => meter.close(),
  };
  const { operators } = config;
  if (operators.length === 0) return { deps: {}, ...running };
  const clients = clientResolver(config.trustProxy);
  const clientOf = clients.of.bind(clients);
  const { sessions } = service;
  const auth = new AdminAuth({ sessions, operators, settings, clock, random, log, clientOf });
  return { deps: { admin: { service, auth } }, ...running };
}
