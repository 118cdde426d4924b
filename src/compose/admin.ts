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
import type { Store } from '../storage/store.ts';
import type { SupplierLedger } from '../suppliers/suppliers.ts';
import { ledgerOf } from './suppliers.ts';

interface AdminParts {
  readonly config: Config;
  readonly log: Log;
  readonly store: Store & { readonly ledger: SupplierLedger };
  readonly engine: OperatedEngine;
  readonly settings: HttpSettings;
  /** Open WebSockets. */
  readonly sockets: () => number;
  /** Drains the process, as SIGTERM does. Absent if that is not possible. */
  readonly onDrain?: (() => void) | undefined;
}

interface OpenAdmin {
  /** Without `admin` if there is no admin token. */
  readonly deps: { readonly admin?: HttpAdmin };
  /** Tells the other instances that this one drains: a long drain is no loss. Never throws. */
  leaving(): Promise<void>;
  /** Signs this instance out after its engine has drained: otherwise it would be shown as lost. Never throws. */
  left(): Promise<void>;
  close(): void;
}

/** The operators' service. Needed also without a token: an instance with a token may ask this one for its status. */
export function openAdmin(parts: AdminParts): OpenAdmin {
  const { config, settings, engine, store, log, sockets } = parts;
  const random = systemRandom();
  const meter = loadMeter(clock);
  const service = createAdminService({
    ...{ engine, store, log, clock, random, sockets },
    instance: config.instanceId,
    version: programVersion(),
    processLoad: () => meter.read(),
    leave: parts.onDrain ?? (() => log.warn({}, 'this process cannot be drained from here')),
    waitersPerUnit: config.waitersPerUnit,
    hasOwners: config.engine === 'actor',
    secret: settings.secret,
    ledger: ledgerOf(config.suppliers, store.ledger),
  });
  const running = {
    leaving: async () => service.register?.leaving(),
    left: async () => service.register?.leave(),
    close: () => meter.close(),
  };
  const { adminToken: token } = config;
  if (token === undefined) return { deps: {}, ...running };
  const clients = clientResolver(config.trustProxy);
  const clientOf = clients.of.bind(clients);
  const { sessions } = service;
  const auth = new AdminAuth({ sessions, token, settings, clock, random, log, clientOf });
  return { deps: { admin: { service, auth } }, ...running };
}
