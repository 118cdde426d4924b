import prometheus from 'prom-client';
import { beforeEach, describe, expect, test } from 'vitest';
import { samplesOf } from '../../../test/support/exposition.ts';
import { fakeOrder, fakePackages, fakeSnapshot } from '../../../test/support/fake-engine.ts';
import type { PackageSnapshot } from '../../domain/travel-package.ts';
import { createMetrics, gauges, type MetricsSource, packageFigures } from './exposition.ts';
import { MetricsRecorder } from './recorder.ts';

const recorder = new MetricsRecorder();
const counters = Object.values(recorder.counters).map(({ definition }) => definition);
const histograms = Object.values(recorder.histograms).map(({ definition }) => definition);
const all = [...counters, ...histograms, ...Object.values(gauges)];

const build = { version: '1.2.3', node: '24.0.0', engine: 'actor', store: 'sqlite' };
let metrics: MetricsSource;
let packages: PackageSnapshot[];
let readinessProblems: () => Promise<string[]>;
let failing: { supplier: 'flights' | 'hotels' }[];

beforeEach(() => {
  metrics = createMetrics();
  packages = [];
  readinessProblems = async () => [];
  failing = [];
});

async function exposed(): Promise<string> {
  const { text } = await metrics.expose({
    packages: () => packageFigures(fakePackages(packages)),
    readinessProblems: () => readinessProblems(),
    failing: () => failing,
    build,
  });
  return text;
}

async function value(series: string): Promise<number | undefined> {
  return samplesOf(await exposed()).get(`ticket_booking_${series}`);
}

const nothing = { inventory: fakeSnapshot().inventory, inserted: [], updated: [] };

describe('the exposition', () => {
  test('has purchases by outcome, requests by route, messages and notices by result', async () => {
    metrics.purchase('confirmed');
    metrics.purchase('queue_full');
    metrics.purchase('queue_full');
    metrics.request('/api/orders', 'POST', 201, 0.004);
    metrics.message('no_answer');
    expect(await value('notices_total{channel="mail",result="failed"}')).toBe(0);
    expect(await value('notices_total{channel="webhook",result="given_up"}')).toBe(0);
    metrics.notice('mail', 'failed');
    expect(await value('purchases_total{outcome="queue_full"}')).toBe(2);
    expect(await value('purchases_total{outcome="confirmed"}')).toBe(1);
    expect(await value('purchases_total{outcome="no_owner"}')).toBe(0);
    expect(await value('http_requests_total{route="/api/orders",method="POST",status="201"}')).toBe(1);
    expect(await value('messages_total{result="no_answer"}')).toBe(1);
    expect(await value('notices_total{channel="mail",result="failed"}')).toBe(1);
  });

  test('has cumulative histograms with inclusive bounds', async () => {
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

  test('has commits by outcome, and fenced writes by the check that refused them', async () => {
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

  test('has ended orders by status, and their duration', async () => {
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

  test('has unfinished sagas, the age of the oldest, and the results of the finished ones', async () => {
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

  test('has attempts at suppliers and their circuit breakers', async () => {
    metrics.supplierCall('flights')('reserved');
    failing = [{ supplier: 'hotels' }];
    expect(await value('supplier_call_duration_seconds_count{supplier="flights",result="reserved"}')).toBe(1);
    expect(await value('breaker_open{supplier="hotels"}')).toBe(1);
    expect(await value('breaker_open{supplier="flights"}')).toBe(0);
    failing = [];
    expect(await value('breaker_open{supplier="hotels"}')).toBe(0);
  });

  test('has takeovers, batch sizes and the build', async () => {
    metrics.takeover(true);
    metrics.batch(7);
    expect(await value('takeovers_total{unfinished_orders="yes"}')).toBe(1);
    expect(await value('batch_size_messages_bucket{le="5"}')).toBe(0);
    expect(await value('batch_size_messages_bucket{le="10"}')).toBe(1);
    expect(await value('build_info{version="1.2.3",node="24.0.0",engine="actor",store="sqlite"}')).toBe(1);
  });
});

describe('a gauge', () => {
  test('is read at each scrape', async () => {
    let size = 3;
    metrics.gauge('mailbox_messages', () => size);
    metrics.gauge('inbox_messages', async () => size * 2);
    expect(await value('mailbox_messages')).toBe(3);
    size = 4;
    expect(await value('mailbox_messages')).toBe(4);
    expect(await value('inbox_messages')).toBe(8);
  });

  test('is left out if it fails or takes too long, and does not delay the others', async () => {
    metrics.gauge('inbox_messages', () => Promise.reject(new Error('away')));
    metrics.gauge('sockets', () => new Promise(() => {}));
    metrics.gauge('active_actors', () => 5);
    readinessProblems = () => new Promise(() => {});
    const samples = samplesOf(await exposed());
    expect(samples.get('ticket_booking_inbox_messages')).toBeUndefined();
    expect(samples.get('ticket_booking_sockets')).toBeUndefined();
    expect(samples.get('ticket_booking_active_actors')).toBe(5);
    expect(samples.get('ticket_booking_ready')).toBe(0);
  });

  test('shows whether the instance is ready', async () => {
    expect(await value('ready')).toBe(1);
    readinessProblems = async () => ['something'];
    expect(await value('ready')).toBe(0);
  });

  test('shows the sums of units and queues over all packages, and the hundred longest queues separately', async () => {
    packages = Array.from({ length: 150 }, (_, index) => {
      const { package: travelPackage, inventory } = fakeSnapshot({ id: index + 1, quota: 2 });
      return { package: travelPackage, inventory: { ...inventory, remaining: 1, held: 1, waiting: index } };
    });
    const samples = samplesOf(await exposed());
    expect(samples.get('ticket_booking_waiting_orders')).toBe((149 * 150) / 2);
    expect(samples.get('ticket_booking_units{state="held"}')).toBe(150);
    const queues = [...samples.keys()].filter((name) =>
      name.startsWith('ticket_booking_package_waiting_orders'),
    );
    expect(queues).toHaveLength(100);
    expect(samples.get('ticket_booking_package_waiting_orders{package="150"}')).toBe(149);
    expect(samples.get('ticket_booking_package_waiting_orders{package="50"}')).toBeUndefined();
    expect(samples.get('ticket_booking_package_units{package="150",state="remaining"}')).toBe(1);
  });
});

describe('the format of Prometheus', () => {
  test('has names, units and help texts by its conventions', () => {
    for (const { name, help } of counters) {
      expect(name).toMatch(/^ticket_booking_[a-z_]+_total$/);
      expect(help).toMatch(/\.$/);
    }
    for (const { name } of histograms) expect(name).toMatch(/_(seconds|messages)$/);
    for (const { name } of Object.values(gauges)) expect(name).not.toMatch(/_total$/);
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
  });

  test('has every metric once, the metrics of the process, and no series twice', async () => {
    const text = await exposed();
    for (const { name } of all) expect(text.split(`# TYPE ${name} `)).toHaveLength(2);
    expect(text).toContain('process_resident_memory_bytes ');
    expect(text).toContain('nodejs_eventloop_lag_p99_seconds ');
    const series = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    const names = series.map((line) => line.slice(0, line.lastIndexOf(' ')));
    expect(new Set(names).size).toBe(names.length);
    for (const line of series) expect(line).toMatch(/^[a-z\d_:]+(\{[^\n]*\})? (NaN|[+-]?Inf|[-+.\de]+)$/i);
  });

  test('has escaped label values', async () => {
    metrics.request('/"\\\n', 'GET', 200, 1);
    expect(await exposed()).toContain('route="/\\"\\\\\\n"');
  });

  test('uses a registry per instance, and one read for concurrent scrapes', async () => {
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
