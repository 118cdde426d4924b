import { systemClock as clock } from '../adapters/system/clock.ts';
import { loadMeter } from '../adapters/system/process-load.ts';
import { systemRandom } from '../adapters/system/random.ts';
import { AdminAuth } from '../http/admin-auth.ts';
import type { AppDeps } from '../http/deps.ts';
import { clientsBehind } from '../http/limits/client-of.ts';
import type { HttpSettings } from '../http/settings.ts';
import { OperationsDesk } from '../operations/operations.ts';
import type { Config } from '../ops/config.ts';
import { programVersion } from '../ops/telemetry.ts';
import type { Log } from '../ports/log.ts';
import type { OperatedEngine } from '../ports/operated-engine.ts';
import type { Store } from '../ports/store.ts';
import type { SupplierLedger } from '../ports/suppliers.ts';
import { ledgerOf } from './ledger.ts';

export interface OperationsParts {
  readonly config: Config;
  readonly log: Log;
  readonly store: Store & { readonly ledger: SupplierLedger };
  readonly engine: OperatedEngine;
  readonly settings: HttpSettings;
  /** Open WebSockets. */
  readonly sockets: () => number;
  /** Has the process leave, as on SIGTERM. Absent where it cannot. */
  readonly onDrain?: (() => void) | undefined;
}

export interface OpenOperations {
  /** Nothing of `admin` where there is no admin token. */
  readonly deps: Pick<AppDeps, 'admin'>;
  /** Signs this instance out, once its engine owns nothing any more: else it would be shown as lost. */
  left(): Promise<void>;
  close(): void;
}

/** What operators see and do. Also without a token here: an instance that has one may ask this one how it is. */
export function openOperations(parts: OperationsParts): OpenOperations {
  const { config, settings, engine, store, log, sockets } = parts;
  const random = systemRandom();
  const meter = loadMeter(clock);
  const operations = new OperationsDesk({
    ...{ engine, store, log, clock, random, sockets },
    instance: config.instanceId,
    version: programVersion(),
    processLoad: () => meter.read(),
    leave: parts.onDrain ?? (() => log.warn({}, 'this process cannot be drained from here')),
    waitersPerUnit: config.waitersPerUnit,
    hasOwners: config.engine === 'actor',
    secret: settings.secret,
    ledger: () => ledgerOf(config.suppliers, store.ledger),
  });
  const close = () => meter.close();
  const { adminToken: token } = config;
  const left = () => operations.left();
  if (token === undefined) return { deps: {}, left, close };
  const clients = clientsBehind(config.trustProxy);
  const clientOf = clients.of.bind(clients);
  const auth = new AdminAuth({ operations, token, settings, clock, random, log, clientOf });
  return { deps: { admin: { operations, sessions: auth, identity: auth } }, left, close };
}
