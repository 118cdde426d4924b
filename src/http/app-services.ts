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

/** Everything the HTTP side needs, chosen by compose.ts. */
export interface AppServices {
  readonly engine: BookingEngine;
  readonly liveBus: LiveBus;
  /** The simulated suppliers behind `/api/suppliers`. */
  readonly suppliers: SupplierClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly settings: HttpSettings;
  /** Absent where purchases are taken however far the server is behind. */
  readonly admission?: Admission;
  /** Absent where everybody may do whatever they like. */
  readonly limits?: HttpLimits;
  /** Absent where nobody looks. */
  readonly telemetry?: HttpTelemetry;
  /** Absent where there is no admin token: operators have no pages then, and no API. */
  readonly admin?: HttpAdmin;
}

/** What the HTTP side reports, and what it shows to operators. */
export interface HttpTelemetry {
  readonly metrics: Metrics;
  /** Absent where nothing is traced. */
  readonly tracing?: Tracing;
  /** Whether the log gets a line per request. */
  readonly logsRequests: boolean;
  /** The present figures, as Prometheus reads them. */
  readonly expose: () => Promise<{ readonly contentType: string; readonly text: string }>;
}

/** What operators see and do, and how they prove that they are. */
export interface HttpAdmin {
  readonly service: AdminService;
  readonly sessions: AdminSessions;
  /** For the API. */
  readonly identity: AdminIdentity;
}

export interface HttpSettings {
  readonly instanceId: string;
  /** Signs cookies and links. */
  readonly secret: string;
  /** ISO 4217 code, for prices. */
  readonly currency: string;
  /** Without it nobody may cancel at the simulated suppliers or read their ledger, and every key is made public. */
  readonly suppliersToken?: string;
  /** `https://tickets.example`: the only origin that forms and sockets may come from, besides the request's own host. */
  readonly publicOrigin?: string;
}
