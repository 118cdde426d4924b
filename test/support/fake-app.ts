import type { Hono } from 'hono';
import { createApp } from '../../src/compose/app.ts';
import type { BookingEngine } from '../../src/engine/engine.ts';
import type { HttpPayments, HttpSettings } from '../../src/http/app-services.ts';
import type { Clock } from '../../src/lib/clock.ts';
import { type Log, silentLog } from '../../src/observability/log.ts';
import { noMetrics } from '../../src/observability/metrics.ts';
import { localLiveBus } from '../../src/realtime/live-bus.ts';
import type { SupplierClient } from '../../src/suppliers/suppliers.ts';
import { type AdminOverrides, fakeAdmin, fakeAuth } from './fake-admin.ts';
import { fakeEngine, fakeNow } from './fake-engine.ts';

/** Bearer tokens of suppliers and operators. */
export const suppliersToken = 'the-token-of-the-suppliers';
export const adminToken = 'the-token-of-the-operators';

export interface FakeAppOptions {
  readonly engine?: Partial<BookingEngine>;
  readonly suppliers?: Partial<SupplierClient>;
  /** Absent: payments are off. */
  readonly payments?: HttpPayments;
  readonly settings?: Partial<HttpSettings>;
  readonly service?: AdminOverrides;
  /** False leaves out the admin routes, as a server without an admin token does. Default true. */
  readonly hasOperators?: boolean;
  readonly log?: Log;
  /** Default: a stopped clock. */
  readonly clock?: Clock;
}

/** A stopped clock. A sleep ends only when its signal aborts. */
const stoppedClock: Clock = {
  now: () => fakeNow,
  monotonic: () => 0,
  sleep: (_ms, signal) =>
    new Promise((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true })),
};

/** The whole app over a fake engine and fake suppliers. */
export function fakeApp({
  engine,
  suppliers,
  payments,
  settings,
  service,
  hasOperators = true,
  log = silentLog,
  clock = stoppedClock,
}: FakeAppOptions = {}): Hono {
  const { app } = createApp({
    engine: fakeEngine(engine),
    liveBus: localLiveBus(),
    suppliers: {
      reserveFlight: async () => ({ kind: 'reserved', number: 'F1' }),
      reserveHotel: async () => ({ kind: 'reserved', number: 'H1' }),
      cancel: async () => {},
      ledger: async () => ({ items: [] }),
      ...suppliers,
    },
    ...(payments === undefined ? {} : { payments }),
    clock,
    random: { bytes: (count) => new Uint8Array(count), fraction: () => 0.5 },
    log,
    settings: {
      instanceId: 'one',
      secret: 's'.repeat(32),
      currency: 'USD',
      suppliersToken,
      ...settings,
    },
    ...(hasOperators
      ? { admin: { service: fakeAdmin({}, service), auth: fakeAuth(undefined, adminToken) } }
      : {}),
    telemetry: {
      metrics: noMetrics,
      logsRequests: false,
      expose: async () => ({ contentType: 'text/plain; version=0.0.4; charset=utf-8', text: 'up 1\n' }),
    },
  });
  return app;
}
