import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { readExposition } from '../support/exposition.ts';
import { type FaultySupplier, startFaultySupplier } from '../support/faulty-supplier.ts';
import { type OtlpCollector, startOtlpCollector } from '../support/otlp-collector.ts';
import { makeDatabase, onSale, type TestDatabase } from '../support/server.ts';
import { type ServerProcess, spawnServer } from '../support/server-process.ts';

let collector: OtlpCollector;
let supplier: FaultySupplier;
let database: TestDatabase;
let server: ServerProcess;

beforeAll(async () => {
  supplier = await startFaultySupplier();
});
afterAll(() => supplier.stop());
beforeEach(async () => {
  collector = await startOtlpCollector();
  database = await makeDatabase([onSale({ quota: 3 })]);
});
afterEach(async () => {
  await server.end('SIGTERM');
  await collector.stop();
  await database.delete();
});

async function start(settings: Record<string, string>): Promise<void> {
  server = await spawnServer({
    ...{ DATABASE_URL: database.url, SUPPLIERS_URL: supplier.url, LOG_LEVEL: 'warn' },
    ...{ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_TRACES_EXPORTER: 'none', ...settings },
  });
}

async function buy(): Promise<void> {
  const body = JSON.stringify({ packageId: 1, email: 'measured.buyer@example.com' });
  const headers = { 'content-type': 'application/json' };
  expect((await fetch(`${server.origin}/api/orders`, { method: 'POST', headers, body })).status).toBe(201);
}

const pointsOf = (name: string) => collector.points.filter((point) => point.name === name);

test('metrics are sent with the names of /metrics, and requests by the semantic conventions', async () => {
  await start({ OTEL_METRIC_EXPORT_INTERVAL: '100', OTEL_SERVICE_NAME: 'hotel-shop' });
  await buy();
  const requests = await vi.waitFor(() => {
    const found = pointsOf('http.server.request.duration').filter(
      ({ attributes }) => attributes['http.route'] === '/api/orders',
    );
    expect(found).toHaveLength(1);
    return found;
  });
  // A collector refuses all metrics for one value that is no number.
  expect(collector.text).not.toContain('"asDouble":null');
  expect(requests[0]).toMatchObject({
    unit: 's',
    value: 1,
    attributes: {
      'http.request.method': 'POST',
      'http.response.status_code': 201,
      'url.scheme': 'http',
    },
    resource: { 'service.name': 'hotel-shop' },
  });
  await vi.waitFor(() => {
    const confirmed = pointsOf('ticket_booking_orders_total').filter(
      ({ attributes }) => attributes.status === 'confirmed',
    );
    expect(confirmed).toMatchObject([{ value: 1, unit: '1' }]);
    expect(pointsOf('ticket_booking_ready')).toMatchObject([{ value: 1 }]);
    expect(pointsOf('ticket_booking_commit_duration_seconds')[0]).toMatchObject({ unit: 's' });
  });
  const scraped = readExposition(await (await fetch(`${server.origin}/metrics`)).text());
  const sent = new Set<string>();
  // A gauge is not sent while it has no measurement, like the lag of the event loop just after a look at it.
  await vi.waitFor(() => {
    for (const { name } of collector.points) sent.add(name);
    const unsent = [...scraped.values()].filter(({ name, samples }) => samples.length > 0 && !sent.has(name));
    expect(unsent.map(({ name }) => name)).toEqual([]);
  });
  expect(collector.text).not.toContain('measured.buyer');
});

test('the last values are sent when the server stops', async () => {
  await start({});
  await buy();
  expect(collector.points).toEqual([]);
  expect(await server.end('SIGTERM')).toBe(0);
  expect(pointsOf('http.server.request.duration').length).toBeGreaterThan(0);
});

test('OTEL_METRICS_EXPORTER=none sends none', async () => {
  await start({ OTEL_METRICS_EXPORTER: 'none', OTEL_METRIC_EXPORT_INTERVAL: '100' });
  await buy();
  expect(await server.end('SIGTERM')).toBe(0);
  expect(collector.text).toBe('');
});

test('a collector that is away is logged once, and delays neither purchases nor the end', async () => {
  await collector.stop();
  await start({ OTEL_METRIC_EXPORT_INTERVAL: '100' });
  await vi.waitFor(() => expect(server.output()).toContain('OpenTelemetry'));
  await buy();
  expect((await fetch(`${server.origin}/metrics`)).status).toBe(200);
  expect(await server.end('SIGTERM')).toBe(0);
  expect(server.output().match(/OpenTelemetry/g)).toHaveLength(1);
  collector = await startOtlpCollector();
});

test('a collector that never answers delays neither purchases nor the end', async () => {
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const connected = once(silent, 'connection');
  const { port } = silent.address() as AddressInfo;
  await start({
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
    OTEL_METRIC_EXPORT_INTERVAL: '100',
  });
  const [socket] = (await connected) as [Socket];
  await buy();
  expect(await server.end('SIGTERM')).toBe(0);
  socket.destroy();
  silent.close();
});
