import prometheus from 'prom-client';
import { beforeEach, describe, expect, test } from 'vitest';
import { fakeOrder, fakeSnapshot } from '../../test/support/fake-engine.ts';
import { samplesOf } from '../../test/support/prometheus.ts';
import type { PackageSnapshot } from '../domain/travel-package.ts';
import { counters, gauges, histograms } from './prometheus/catalogue.ts';
import { createMetrics, type MetricsSource } from './prometheus.ts';

const build = { version: '1.2.3', node: '24.0.0', engine: 'actor', store: 'sqlite' };
let metrics: MetricsSource;
let packages: PackageSnapshot[];
let missing: () => Promise<string[]>;

beforeEach(() => {
  metrics = createMetrics();
  packages = [];
  missing = async () => [];
});

async function exposed(): Promise<string> {
  const { text } = await metrics.expose({ packages: async () => packages, missing: () => missing(), build });
  return text;
}

async function value(series: string): Promise<number | undefined> {
  return samplesOf(await exposed()).get(`ticket_booking_${series}`);
}

const nothing = { inventory: fakeSnapshot().inventory, inserted: [], updated: [] };

describe('what is reported is shown', () => {
  test('purchases by outcome, requests by route, messages by how they fared', async () => {
    metrics.purchase('confirmed');
    metrics.purchase('queue_full');
    metrics.purchase('queue_full');
    metrics.request('/api/orders', 'POST', 201, 0.004);
    metrics.message('no_answer');
    expect(await value('purchases_total{outcome="queue_full"}')).toBe(2);
    expect(await value('purchases_total{outcome="confirmed"}')).toBe(1);
    expect(await value('purchases_total{outcome="no_owner"}')).toBe(0);
    expect(await value('http_requests_total{route="/api/orders",method="POST",status="201"}')).toBe(1);
    expect(await value('messages_total{result="no_answer"}')).toBe(1);
  });

  test('a histogram is cumulative, and its bounds are inclusive', async () => {
    for (const seconds of [0.001, 0.002, 0.0025, 7, 99]) metrics.request('/', 'GET', 200, seconds);
    const name = 'http_request_duration_seconds';
    const bucket = (le: string) => value(`${name}_bucket{le="${le}",route="/",method="GET"}`);
    expect(await bucket('0.001')).toBe(1);
    expect(await bucket('0.0025')).toBe(3);
    expect(await bucket('5')).toBe(3);
    expect(await bucket('10')).toBe(4);
    expect(await bucket('+Inf')).toBe(5);
    expect(await value(`${name}_count{route="/",method="GET"}`)).toBe(5);
    expect(await value(`${name}_sum{route="/",method="GET"}`)).toBeCloseTo(106.0055);
  });

  test('commits by how they ended, and what was fenced by whom', async () => {
    metrics.commit()('applied');
    metrics.commit()('fenced');
    metrics.commit()('unknown');
    metrics.staleWrite();
    metrics.staleRefusal();
    expect(await value('commit_duration_seconds_count')).toBe(1);
    expect(await value('commit_failures_total{kind="fenced"}')).toBe(1);
    expect(await value('commit_failures_total{kind="unknown"}')).toBe(1);
    expect(await value('fenced_writes_total{by="store"}')).toBe(1);
    expect(await value('fenced_writes_total{by="lease"}')).toBe(1);
    expect(await value('stale_refusals_total')).toBe(1);
  });

  test('orders that a commit brought to an end, and how long that took', async () => {
    const ended = [{ at: 1_500, event: 'confirmed' as const }];
    metrics.committed({
      ...nothing,
      inserted: [fakeOrder({ status: 'held' }), fakeOrder({ status: 'queued' })],
      updated: [
        fakeOrder({ status: 'confirmed', createdAt: 1_000, timeline: ended }),
        fakeOrder({ status: 'cancelled' }),
        fakeOrder({ status: 'compensating' }),
      ],
    });
    expect(await value('orders_total{status="confirmed"}')).toBe(1);
    expect(await value('orders_total{status="cancelled"}')).toBe(1);
    expect(await value('orders_total{status="failed"}')).toBe(0);
    expect(await value('order_settling_seconds_sum{status="confirmed"}')).toBe(0.5);
    expect(await value('order_settling_seconds_count{status="cancelled"}')).toBeUndefined();
  });

  test('sagas that are under way, the oldest of them, and how they ended', async () => {
    const first = metrics.saga('clear');
    const second = metrics.saga('clear');
    expect(await value('sagas_in_progress{saga="clear"}')).toBe(2);
    expect(await value('sagas_in_progress{saga="book"}')).toBe(0);
    expect(await value('oldest_saga_seconds{saga="clear"}')).toBeGreaterThan(0);
    expect(await value('oldest_saga_seconds{saga="book"}')).toBe(0);
    first('cleared');
    second('stopped');
    expect(await value('oldest_saga_seconds{saga="clear"}')).toBe(0);
    expect(await value('saga_duration_seconds_count{saga="clear",result="cleared"}')).toBe(1);
    expect(await value('saga_duration_seconds_count{saga="clear",result="stopped"}')).toBe(1);
  });

  test('suppliers: attempts and breakers', async () => {
    metrics.supplierCall('flights')('reserved');
    metrics.breaker('hotels', true);
    expect(await value('supplier_call_duration_seconds_count{supplier="flights",result="reserved"}')).toBe(1);
    expect(await value('breaker_open{supplier="hotels"}')).toBe(1);
    metrics.breaker('hotels', false);
    expect(await value('breaker_open{supplier="hotels"}')).toBe(0);
  });

  test('takeovers, batches, and what runs', async () => {
    metrics.takeover(true);
    metrics.batch(7);
    expect(await value('takeovers_total{unfinished_orders="yes"}')).toBe(1);
    expect(await value('batch_size_messages_bucket{le="5"}')).toBe(0);
    expect(await value('batch_size_messages_bucket{le="10"}')).toBe(1);
    expect(await value('build_info{version="1.2.3",node="24.0.0",engine="actor",store="sqlite"}')).toBe(1);
  });
});

describe('how things stand', () => {
  test('is read when somebody looks', async () => {
    let size = 3;
    metrics.gauge('mailbox_messages', () => size);
    metrics.gauge('inbox_messages', async () => size * 2);
    expect(await value('mailbox_messages')).toBe(3);
    size = 4;
    expect(await value('mailbox_messages')).toBe(4);
    expect(await value('inbox_messages')).toBe(8);
  });

  test('what fails, or does not come in time, is left out and keeps nothing else from being told', async () => {
    metrics.gauge('inbox_messages', () => Promise.reject(new Error('away')));
    metrics.gauge('sockets', () => new Promise(() => {}));
    metrics.gauge('active_actors', () => 5);
    missing = () => new Promise(() => {});
    const samples = samplesOf(await exposed());
    expect(samples.get('ticket_booking_inbox_messages')).toBeUndefined();
    expect(samples.get('ticket_booking_sockets')).toBeUndefined();
    expect(samples.get('ticket_booking_active_actors')).toBe(5);
    expect(samples.get('ticket_booking_ready')).toBe(0);
  });

  test('ready is what readiness says', async () => {
    expect(await value('ready')).toBe(1);
    missing = async () => ['something'];
    expect(await value('ready')).toBe(0);
  });

  test('units and lines: all of them in sum, and the hundred longest lines one by one', async () => {
    packages = Array.from({ length: 150 }, (_, index) => {
      const { package: travelPackage, inventory } = fakeSnapshot({ id: index + 1, quota: 2 });
      return { package: travelPackage, inventory: { ...inventory, remaining: 1, held: 1, waiting: index } };
    });
    const samples = samplesOf(await exposed());
    expect(samples.get('ticket_booking_waiting_orders')).toBe((149 * 150) / 2);
    expect(samples.get('ticket_booking_units{state="held"}')).toBe(150);
    const lines = [...samples.keys()].filter((name) =>
      name.startsWith('ticket_booking_package_waiting_orders'),
    );
    expect(lines).toHaveLength(100);
    expect(samples.get('ticket_booking_package_waiting_orders{package="150"}')).toBe(149);
    expect(samples.get('ticket_booking_package_waiting_orders{package="50"}')).toBeUndefined();
    expect(samples.get('ticket_booking_package_units{package="150",state="remaining"}')).toBe(1);
  });
});

describe('as Prometheus wants it', () => {
  test('names, units and help follow its conventions', () => {
    for (const { name, help } of Object.values(counters)) {
      expect(name).toMatch(/^ticket_booking_[a-z_]+_total$/);
      expect(help).toMatch(/\.$/);
    }
    for (const { name } of Object.values(histograms)) expect(name).toMatch(/_(seconds|messages)$/);
    for (const { name } of Object.values(gauges)) expect(name).not.toMatch(/_total$/);
    const all = [counters, histograms, gauges].flatMap((group) =>
      Object.values(group).map(({ name }) => name),
    );
    expect(new Set(all).size).toBe(all.length);
  });

  test('every catalogued metric is told of once, with the figures of the process, and no series twice', async () => {
    const text = await exposed();
    for (const group of [counters, histograms, gauges]) {
      for (const { name } of Object.values(group)) expect(text.split(`# TYPE ${name} `)).toHaveLength(2);
    }
    expect(text).toContain('process_resident_memory_bytes ');
    expect(text).toContain('nodejs_eventloop_lag_p99_seconds ');
    const series = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    const names = series.map((line) => line.slice(0, line.lastIndexOf(' ')));
    expect(new Set(names).size).toBe(names.length);
    for (const line of series) expect(line).toMatch(/^[a-z\d_:]+(\{[^\n]*\})? (NaN|[+-]?Inf|[-+.\de]+)$/i);
  });

  test('label values are escaped', async () => {
    metrics.request('/"\\\n', 'GET', 200, 1);
    expect(await exposed()).toContain('route="/\\"\\\\\\n"');
  });

  test('each has a registry of its own, and scrapes that come together share one reading', async () => {
    const other = createMetrics();
    other.purchase('confirmed');
    expect(await value('purchases_total{outcome="confirmed"}')).toBe(0);
    expect(prometheus.register.getMetricsAsArray()).toEqual([]);
    let reads = 0;
    metrics.gauge('sockets', () => ++reads);
    await Promise.all([exposed(), exposed(), exposed()]);
    expect(reads).toBe(1);
  });
});
