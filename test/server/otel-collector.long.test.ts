import { expect, onTestFinished, test, vi } from 'vitest';
import { startFaultySupplier } from '../support/faulty-supplier.ts';
import { makeDatabase, onSale } from '../support/server.ts';
import { spawnServer } from '../support/server-process.ts';
import { startRealCollector } from '../support/servers/otel-collector.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';

test('the traces and metrics of a purchase are seen in a real OpenTelemetry Collector', {
  timeout: 1_500_000,
}, async () => {
  const collector = await startRealCollector();
  onTestFinished(() => collector.stop());
  const supplier = await startFaultySupplier();
  onTestFinished(() => supplier.stop());
  const database = await makeDatabase([onSale({ quota: 3 })]);
  onTestFinished(() => database.delete());
  const server = await spawnServer({
    ...{ DATABASE_URL: database.url, SUPPLIERS_URL: supplier.url },
    ...{ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_SERVICE_NAME: 'hotel-shop' },
    ...{ OTEL_BSP_SCHEDULE_DELAY: '50', OTEL_METRIC_EXPORT_INTERVAL: '500' },
  });
  onTestFinished(async () => void (await server.end('SIGTERM')));
  const answer = await fetch(`${server.origin}/api/orders`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', traceparent: `00-${traceId}-b7ad6b7169203331-01` },
    body: JSON.stringify({ packageId: 1, email: 'a@example.com' }),
  });
  expect(answer.status).toBe(201);
  await vi.waitFor(() => {
    const shown = collector.output();
    expect(shown).toContain('service.name: Str(hotel-shop)');
    const spans = shown.split('Span #').filter((span) => span.includes(traceId));
    const names = spans.map((span) => /^ {4}Name +: (.+)$/m.exec(span)?.[1]);
    expect(names).toEqual(expect.arrayContaining(['POST /api/orders', 'commit']));
    const metrics = shown.split('Metric #').map((metric) => metric.split('ResourceMetrics #')[0] ?? '');
    const named = (name: string) =>
      metrics.filter((metric) => metric.includes(`-> Name: ${name}\n`)).at(-1) ?? '';
    const requests = named('http.server.request.duration');
    expect(requests).toContain('-> Unit: s\n');
    expect(requests).toContain('-> http.request.method: Str(POST)');
    expect(requests).toContain('-> http.route: Str(/api/orders)');
    expect(requests).toContain('-> http.response.status_code: Int(201)');
    expect(requests).toContain('-> url.scheme: Str(http)');
    const orders = named('ticket_booking_orders_total');
    expect(orders).toContain('-> IsMonotonic: true');
    expect(orders).toMatch(/-> status: Str\(confirmed\)[\s\S]*?Value: 1\.0/);
  });
});
