import type { Hono } from 'hono';
import type { AdminService } from '../../src/admin/admin-service.ts';
import { createApp } from '../../src/compose/app.ts';
import type { BookingEngine } from '../../src/engine/engine.ts';
import type { HttpAdmin, HttpSettings } from '../../src/http/app-services.ts';
import { ProblemError } from '../../src/http/problem.ts';
import type { Clock } from '../../src/lib/clock.ts';
import { type Log, silentLog } from '../../src/observability/log.ts';
import { noMetrics } from '../../src/observability/metrics.ts';
import { localLiveBus } from '../../src/realtime/live-bus.ts';
import type { SupplierClient } from '../../src/suppliers/suppliers.ts';
import { fakeAdmin, fakeOperator, fakeSessions } from './fake-admin.ts';
import { fakeEngine, fakeNow } from './fake-engine.ts';

/** Bearer tokens of suppliers and operators. */
export const suppliersToken = 'the-token-of-the-suppliers';
export const adminToken = 'the-token-of-the-operators';

export interface FakeAppOptions {
  readonly engine?: Partial<BookingEngine>;
  readonly suppliers?: Partial<SupplierClient>;
  readonly settings?: Partial<HttpSettings>;
  readonly service?: Partial<AdminService>;
  /** False leaves out the admin routes, as without an admin token. Default true. */
  readonly hasOperators?: boolean;
  readonly log?: Log;
}

/** A stopped clock: sleeps end only by their signal. */
const stoppedClock: Clock = {
  now: () => fakeNow,
  sleep: (_ms, signal) =>
    new Promise((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true })),
};

/** The whole app over a fake engine and fake suppliers. */
export function fakeApp({
  engine,
  suppliers,
  settings,
  service,
  hasOperators = true,
  log = silentLog,
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
    clock: stoppedClock,
    random: { bytes: (count) => new Uint8Array(count), fraction: () => 0.5 },
    log,
    settings: {
      instanceId: 'one',
      secret: 's'.repeat(32),
      currency: 'USD',
      suppliersToken,
      ...settings,
    },
    ...(hasOperators ? { admin: httpAdmin(service) } : {}),
    telemetry: {
      metrics: noMetrics,
      logsRequests: false,
      expose: async () => ({ contentType: 'text/plain; version=0.0.4; charset=utf-8', text: 'up 1\n' }),
    },
  });
  return app;
}

function httpAdmin(service: Partial<AdminService> = {}): HttpAdmin {
  return {
    service: fakeAdmin({}, service),
    sessions: fakeSessions(),
    identity: {
      async identify(c) {
        if (c.req.header('authorization') === `Bearer ${adminToken}`) return fakeOperator;
        throw new ProblemError('unauthorized', { headers: { 'WWW-Authenticate': 'Bearer' } });
      },
    },
  };
}
