import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Order } from '../../src/domain/order.ts';
import { ActorEngine, type ActorEngineOptions } from '../../src/engine/actor/actor-engine.ts';
import { LockEngine } from '../../src/engine/lock/lock-engine.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { silentLog } from '../../src/observability/log.ts';
import {
  createMetrics,
  type GaugeSources,
  type MetricsSource,
  packageFigures,
} from '../../src/observability/prometheus/exposition.ts';
import { localLiveBus } from '../../src/realtime/live-bus.ts';
import { openSqliteStore, type SqliteStore } from '../../src/storage/sqlite/sqlite-store.ts';
import { CommitUnknownError, FencedError, StoreUnavailableError } from '../../src/storage/store.ts';
import { type ResilientSuppliers, resilientSuppliers } from '../../src/suppliers/resilient-suppliers.ts';
import type { CallOutcome } from '../../src/suppliers/suppliers.ts';
import { buy, cancel } from '../support/api-client.ts';
import { samplesOf } from '../support/exposition.ts';
import { fakePackages } from '../support/fake-engine.ts';
import { grantedLeases } from '../support/granted-leases.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { ScriptedSuppliers } from '../support/scripted-suppliers.ts';
import { onSale, startServer, type TestServer } from '../support/server.ts';
import { openStrategyFixture, type StrategyFixture } from '../support/strategy-fixture.ts';

const email = 'a@example.com';
const build = { version: '', node: '', engine: '', store: '' };

function reader(metrics: MetricsSource, failing: GaugeSources['failing'] = () => []) {
  return async (series: string) => {
    const packages = () => packageFigures(fakePackages([]));
    const surroundings = { packages, readinessProblems: async () => [], failing, build };
    const { text } = await metrics.expose(surroundings);
    return samplesOf(text).get(`ticket_booking_${series}`);
  };
}

describe('a whole server', () => {
  let server: TestServer;

  afterEach(() => server.stop());

  async function samples(): Promise<(series: string) => number | undefined> {
    const response = await fetch(`${server.origin}/metrics`);
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      'text/plain; version=0.0.4; charset=utf-8',
    ]);
    const samples = samplesOf(await response.text());
    return (series) => samples.get(`ticket_booking_${series}`);
  }

  test('exposes purchases by route, the duration of purchases, and gauges', async () => {
    const packages = [onSale({ quota: 2 }), onSale({ id: 2, quota: 1 })];
    server = await startServer({ settings: { FLIGHT_FAILURE_RATE: '0' }, packages });
    const { order } = await buy(server.origin, 1, { email });
    await buy(server.origin, 1, { email, prefer: 'respond-async' });
    await vi.waitFor(async () => expect((await server.engine.package(1))?.inventory.confirmed).toBe(2));
    await buy(server.origin, 1, { email });
    await buy(server.origin, 99, { email });
    const form = new URLSearchParams({ packageId: '2', email });
    await fetch(`${server.origin}/order`, { method: 'POST', body: form, redirect: 'manual' });
    await fetch(`${server.origin}/order`, { method: 'POST', body: form, redirect: 'manual' });
    await cancel(server.origin, order?.id ?? '', email);
    await fetch(`${server.origin}/api/orders/${order?.id}?email=${email}`);
    await fetch(`${server.origin}/wp-login.php`);

    const value = await samples();
    expect(value('purchases_total{outcome="confirmed"}')).toBe(2);
    expect(value('purchases_total{outcome="accepted"}')).toBe(1);
    expect(value('purchases_total{outcome="sold_out"}')).toBe(2);
    expect(value('purchases_total{outcome="unknown_package"}')).toBe(1);
    expect(value('orders_total{status="confirmed"}')).toBe(3);
    expect(value('orders_total{status="cancelled"}')).toBe(1);
    expect(value('http_requests_total{route="/api/orders",method="POST",status="201"}')).toBe(1);
    expect(value('http_requests_total{route="/api/orders",method="POST",status="202"}')).toBe(1);
    expect(value('http_requests_total{route="/order",method="POST",status="303"}')).toBe(1);
    expect(value('http_requests_total{route="/api/orders/:id",method="GET",status="200"}')).toBe(1);
    expect(value('http_requests_total{route="other",method="GET",status="404"}')).toBe(1);
    expect(value('saga_duration_seconds_count{saga="book",result="booked"}')).toBe(3);
    expect(value('saga_duration_seconds_count{saga="clear",result="cleared"}')).toBe(1);
    expect(value('supplier_call_duration_seconds_count{supplier="hotels",result="reserved"}')).toBe(3);
    expect(value('supplier_call_duration_seconds_count{supplier="flights",result="cancelled"}')).toBe(1);
    expect(value('commit_duration_seconds_count')).toBeGreaterThanOrEqual(8);
    expect(value('batch_size_messages_count')).toBeGreaterThanOrEqual(8);
    expect(value('active_actors')).toBe(2);
    expect(value('takeovers_total{unfinished_orders="no"}')).toBe(2);
    expect(value('units{state="confirmed"}')).toBe(2);
    expect(value('package_units{package="1",state="remaining"}')).toBe(1);
    expect(value('waiting_orders')).toBe(0);
    expect(value('ready')).toBe(1);
  });

  test('a caller that disconnects is counted as disconnected', async () => {
    server = await startServer({
      settings: { FLIGHT_FAILURE_RATE: '0', SUPPLIER_LATENCY_MS: '60000', SUPPLIER_TIMEOUT_MS: '60000' },
      packages: [onSale()],
    });
    const gone = new AbortController();
    const bought = buy(server.origin, 1, { email, signal: gone.signal }).catch(() => undefined);
    await vi.waitFor(async () =>
      expect((await samples())('package_units{package="1",state="held"}')).toBe(1),
    );
    gone.abort();
    await bought;
    const series = 'http_requests_total{route="/api/orders",method="POST",status="499"}';
    await vi.waitFor(async () => expect((await samples())(series)).toBe(1));
    expect((await samples())('sagas_in_progress{saga="book"}')).toBe(1);
  });

  test('every route has its own label', async () => {
    server = await startServer({ packages: [onSale()] });
    for (const path of [
      '/',
      '/order',
      '/order-queue',
      '/query',
      '/api/packages',
      '/healthz',
      '/readyz',
      '/live',
    ]) {
      await fetch(`${server.origin}${path}`, { redirect: 'manual' });
    }
    const response = await fetch(`${server.origin}/metrics`);
    const text = await response.text();
    expect(text).not.toContain('route="other"');
  });
});

describe('the actor engine', () => {
  let store: SqliteStore;
  let metrics: MetricsSource;
  let value: ReturnType<typeof reader>;
  let suppliers: ScriptedSuppliers;
  let engines: ActorEngine[];

  beforeEach(async () => {
    store = openSqliteStore({ file: ':memory:' });
    await store.addPackages([onSale({ quota: 5 })]);
    metrics = createMetrics();
    value = reader(metrics);
    suppliers = new ScriptedSuppliers();
    engines = [];
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await Promise.all(engines.map((engine) => engine.drain()));
    await store.close();
  });

  async function start(options: Partial<ActorEngineOptions> = {}): Promise<ActorEngine> {
    const engine = new ActorEngine({
      ...{ store, suppliers, metrics, liveBus: localLiveBus(), clock: systemClock, random: systemRandom() },
      ...{ log: silentLog, instance: 'test', snapshotMaxAgeMs: 250 },
      rules: { waitersPerUnit: 2, waitersMax: 100, ordersPerEmail: 0, rejectionsMax: 100 },
      ...options,
    });
    engines.push(engine);
    await engine.start();
    return engine;
  }

  async function bought(engine: ActorEngine): Promise<Order> {
    const answer = await engine.purchase({ packageId: 1, email });
    if (answer.kind !== 'accepted') throw new Error(answer.code);
    return answer.order;
  }

  test.each([
    ['fenced', new FencedError('replaced')],
    ['unknown', new CommitUnknownError('no reply')],
    ['unavailable', new StoreUnavailableError('away')],
    ['refused', new Error('impossible')],
  ])('a commit with the outcome %s is counted with this outcome', async (kind, error) => {
    const engine = await start();
    vi.spyOn(store, 'commit').mockRejectedValueOnce(error);
    await engine.purchase({ packageId: 1, email });
    expect(await value(`commit_failures_total{kind="${kind}"}`)).toBe(1);
    expect(await value('fenced_writes_total{by="store"}')).toBe(kind === 'fenced' ? 1 : 0);
  });

  test('an owner whose lease has run out is counted before it writes', async () => {
    let isHeld = true;
    const lease = { lost: new AbortController().signal, isHeld: () => isHeld, release: async () => {} };
    const leases = { acquire: async () => lease, ping: async () => {}, close: async () => {} };
    const engine = await start({ leases });
    await bought(engine);
    isHeld = false;
    const late = engine.purchase({ packageId: 1, email });
    await vi.waitFor(async () => expect(await value('fenced_writes_total{by="lease"}')).toBeGreaterThan(0));
    isHeld = true;
    await late;
  });

  test('a takeover with unfinished orders has its own label', async () => {
    const first = await start();
    await bought(first);
    await vi.waitFor(() => expect(suppliers.flights).toHaveLength(1));
    await first.drain();
    await start({ instance: 'other' });
    await vi.waitFor(async () =>
      expect(await value('takeovers_total{unfinished_orders="yes"}')).toBeGreaterThan(0),
    );
    expect(await value('saga_duration_seconds_count{saga="book",result="stopped"}')).toBe(1);
    expect(await value('sagas_in_progress{saga="book"}')).toBe(1);
  });

  test('mailboxes are measured while a commit is under way', async () => {
    const engine = await start();
    await bought(engine);
    const { promise, resolve } = Promise.withResolvers<void>();
    const commit = vi.spyOn(store, 'commit').mockImplementationOnce(async () => promise);
    const first = engine.purchase({ packageId: 1, email });
    await vi.waitFor(() => expect(commit).toHaveBeenCalled());
    const waiting = [first, ...Array.from({ length: 3 }, () => engine.purchase({ packageId: 1, email }))];
    await vi.waitFor(async () => expect(await value('mailbox_messages')).toBe(3));
    expect(await value('mailbox_messages_max')).toBe(3);
    resolve();
    await Promise.all(waiting);
    await vi.waitFor(async () => expect(await value('mailbox_messages')).toBe(0));
  });
});

describe('the lock and queue engines', () => {
  let stage: StrategyFixture;

  afterEach(() => stage.close());

  test('expose commits, sagas and outcomes', async () => {
    stage = await openStrategyFixture();
    const metrics = createMetrics();
    const value = reader(metrics);
    const engine = new LockEngine({ ...stage.options(), metrics, leases: grantedLeases() });
    await engine.start();
    const answer = await engine.purchase({ packageId: 1, email });
    if (answer.kind !== 'accepted') throw new Error(answer.code);
    expect(await engine.outcome(answer.order, { waitMs: 5_000 })).toMatchObject({ status: 'confirmed' });
    expect(await value('orders_total{status="confirmed"}')).toBe(1);
    expect(await value('commit_duration_seconds_count')).toBe(2);
    expect(await value('saga_duration_seconds_count{saga="book",result="booked"}')).toBe(1);
    await engine.drain();
    engine.close();
  });
});

describe('an open breaker is exposed until', () => {
  const flight = { key: 'A', packageId: 1, flight: 'Flight-1', email };
  let clock: ManualClock;
  let isAway: boolean;
  let suppliers: ResilientSuppliers;
  let value: ReturnType<typeof reader>;
  let call: AbortController;
  let answer: Promise<CallOutcome>;

  const isOpen = () => value('breaker_open{supplier="flights"}');

  beforeEach(async () => {
    const metrics = createMetrics();
    clock = new ManualClock();
    isAway = true;
    suppliers = resilientSuppliers({
      client: {
        reserveFlight: async () => {
          if (isAway) throw new Error('away');
          return { kind: 'reserved', number: 'F1' };
        },
        reserveHotel: async () => ({ kind: 'refused', code: 'hotel_unavailable' }),
        cancel: async () => {},
        ledger: async () => ({ items: [] }),
      },
      ...{ clock, log: silentLog, metrics, timeoutMs: 100, failuresToOpen: 2, reopenAfterMs: 20 },
      retryAfterMs: 1,
    });
    value = reader(metrics, () => suppliers.failing);
    call = new AbortController();
    expect(await isOpen()).toBe(0);
    answer = suppliers.reserveFlight(flight, call.signal);
    await clock.advance(5);
    expect(await isOpen()).toBe(1);
  });
  afterEach(() => suppliers.close());

  test('the supplier answers', async () => {
    isAway = false;
    await clock.advance(40);
    expect(await answer).toEqual({ kind: 'reserved', number: 'F1' });
    expect(await isOpen()).toBe(0);
    expect(await value('supplier_call_duration_seconds_count{supplier="flights",result="unknown"}')).toBe(2);
  });

  test('nobody has called the supplier for a while', async () => {
    call.abort();
    expect(await answer).toMatchObject({ kind: 'unknown' });
    expect(await isOpen()).toBe(1);
    await clock.advance(60_000);
    expect(await isOpen()).toBe(0);
  });
});
