import type { BookingEngine } from '../ports/booking-engine.ts';
import type { Clock } from '../ports/clock.ts';
import type { LiveBus } from '../ports/live-bus.ts';
import type { Log } from '../ports/log.ts';
import type { Random } from '../ports/random.ts';
import type { SupplierClient } from '../ports/suppliers.ts';

/** Everything the HTTP side needs, chosen by compose.ts. */
export interface AppDeps {
  readonly engine: BookingEngine;
  readonly liveBus: LiveBus;
  /** The simulated suppliers behind `/api/suppliers`. */
  readonly suppliers: SupplierClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly settings: HttpSettings;
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
