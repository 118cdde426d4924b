import type { OrderAnswer } from '../domain/messages.ts';
import type { Order } from '../domain/order.ts';
import type { BookingEngine } from '../engine/engine.ts';
import type { Clock } from '../lib/clock.ts';
import type { Random } from '../lib/random.ts';
import type { Log } from '../observability/log.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { Tracing } from '../observability/tracing.ts';
import type { HttpLimits } from '../rate-limits/limits.ts';
import type { IncomingRequest } from '../rate-limits/rate-limits.ts';
import type { LiveBus } from '../realtime/live-bus.ts';
import type { Operator } from '../storage/operator-log.ts';
import type { EventVerifier, PaymentProvider, SupplierClient } from '../suppliers/suppliers.ts';

/** Everything that the HTTP routes need. src/compose puts it together. */
export interface AppServices {
  readonly engine: BookingEngine;
  readonly liveBus: LiveBus;
  /** The simulated suppliers behind `/api/suppliers`. */
  readonly suppliers: SupplierClient;
  /** Omitted when payments are off. */
  readonly payments?: HttpPayments;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly settings: HttpSettings;
  /** Decides whether a purchase is admitted. Omitted when no purchase is refused for overload. */
  readonly admission?: Admission;
  /** The rate limits. Omitted when they are off. */
  readonly limits?: HttpLimits;
  /** Metrics, traces and logs of requests. Omitted when telemetry is off. */
  readonly telemetry?: HttpTelemetry;
  /**
   * How operators are identified. Without an admin token this is omitted, and the admin pages and the admin API do not
   * exist.
   */
  readonly admin?: { readonly auth: OperatorAuth };
}

/** What the routes of payments need. */
export interface HttpPayments {
  /** Checks the provider's events. Omitted without a secret: then all events are refused, and payments are only looked up. */
  readonly verify?: EventVerifier;
  /** Looks up at once whether a payable order is paid. */
  readonly lookUp: (order: Order) => Promise<OrderAnswer>;
  /** The simulated provider, whose page for buyers this server shows. Omitted with another provider. */
  readonly simulated?: PaymentProvider;
}

/** Sheds load. */
export interface Admission {
  /** Whether the server has the capacity for another purchase. Ask once per purchase. */
  admits(): boolean;
}

/** Metrics, traces and request logs of the HTTP server. */
export interface HttpTelemetry {
  readonly metrics: Metrics;
  /** The traces. Omitted when tracing is off. */
  readonly tracing?: Tracing;
  /** Whether the log gets a line per request. */
  readonly logsRequests: boolean;
  /** Returns the current metrics in the text format of Prometheus. */
  readonly expose: () => Promise<{ readonly contentType: string; readonly text: string }>;
}

/** An operator, and the rights of the operator's token. */
export interface OperatorAccess {
  readonly operator: Operator;
  /** False for an operator who may only read. */
  readonly mayChange: boolean;
}

/** Identifies the operator who sent a request. */
export interface OperatorAuth {
  /**
   * Identifies an operator by the bearer token, or else by the browser's session.
   * @throws ProblemError 401 without a valid token or session, 429 after too many wrong tokens, 403 when another site's
   * page sends a change with the session's cookie.
   */
  identify(request: Request, sender: IncomingRequest | undefined): Promise<OperatorAccess>;
}

export interface HttpSettings {
  readonly instanceId: string;
  /** The key that signs cookies and links. */
  readonly secret: string;
  /** The ISO 4217 code of the currency of all prices. */
  readonly currency: string;
  /**
   * The token for the simulated suppliers. Without a token all callers of these suppliers are public: they can neither
   * cancel nor read the ledger.
   */
  readonly suppliersToken?: string;
  /** Whether callers without the token may reserve at the simulated suppliers. Default true. */
  readonly publicSuppliers?: boolean;
  /** An origin such as `https://tickets.example` that may send forms and open sockets, besides the request's host. */
  readonly publicOrigin?: string;
  /** Whether buyers are told by mail what happens to their orders. Default false. */
  readonly sendsMails?: boolean;
}
