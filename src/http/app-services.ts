import type { AdminService } from '../admin/admin-service.ts';
import type { AdminIdentity, AdminSessions } from '../admin/identity.ts';
import type { BookingEngine } from '../engine/engine.ts';
import type { Clock } from '../lib/clock.ts';
import type { Random } from '../lib/random.ts';
import type { Log } from '../observability/log.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { Tracing } from '../observability/tracing.ts';
import type { HttpLimits } from '../rate-limits/limits.ts';
import type { LiveBus } from '../realtime/live-bus.ts';
import type { SupplierClient } from '../suppliers/suppliers.ts';
import type { Admission } from './server/overload.ts';

/** Everything that the HTTP routes need. src/compose puts it together. */
export interface AppServices {
  readonly engine: BookingEngine;
  readonly liveBus: LiveBus;
  /** The simulated suppliers behind `/api/suppliers`. */
  readonly suppliers: SupplierClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly settings: HttpSettings;
  /** Omitted when purchases are never refused for overload. */
  readonly admission?: Admission;
  /** Omitted when rate limits are off. */
  readonly limits?: HttpLimits;
  /** Omitted when telemetry is off. */
  readonly telemetry?: HttpTelemetry;
  /** Omitted when there is no admin token. Then the operators' pages and API do not exist. */
  readonly admin?: HttpAdmin;
}

/** Metrics, traces and request logs of the HTTP server. */
export interface HttpTelemetry {
  readonly metrics: Metrics;
  /** Omitted when tracing is off. */
  readonly tracing?: Tracing;
  /** Whether the log gets a line per request. */
  readonly logsRequests: boolean;
  /** Returns the current metrics in the text format of Prometheus. */
  readonly expose: () => Promise<{ readonly contentType: string; readonly text: string }>;
}

/** The operators' services and their authentication. */
export interface HttpAdmin {
  readonly service: AdminService;
  readonly sessions: AdminSessions;
  /** Authenticates callers of the API. */
  readonly identity: AdminIdentity;
}

export interface HttpSettings {
  readonly instanceId: string;
  /** The key that signs cookies and links. */
  readonly secret: string;
  /** The ISO 4217 code of the currency of all prices. */
  readonly currency: string;
  /** The token for the simulated suppliers. Without it, all their callers are public: no DELETE and no ledger. */
  readonly suppliersToken?: string;
  /** An origin such as `https://tickets.example` that may send forms and open sockets, besides the request's host. */
  readonly publicOrigin?: string;
}
