import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { buy, cancel } from '../support/api-client.ts';
import { type FaultySupplier, startFaultySupplier } from '../support/faulty-supplier.ts';
import { type CollectedSpan, type OtlpCollector, startOtlpCollector } from '../support/otlp-collector.ts';
import { makeDatabase, onSale, type TestDatabase } from '../support/server.ts';
import { type ServerProcess, spawnServer } from '../support/server-process.ts';

const email = 'traced.buyer@example.com';
const caller = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };

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

function start(settings: Record<string, string>): Promise<ServerProcess> {
  const usual = { DATABASE_URL: database.url, SUPPLIERS_URL: supplier.url, LOG_LEVEL: 'info' };
  return spawnServer({ ...usual, ...settings });
}

function otel(settings: Record<string, string> = {}): Record<string, string> {
  const traces = { OTEL_METRICS_EXPORTER: 'none', OTEL_BSP_SCHEDULE_DELAY: '50' };
  return { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...traces, ...settings };
}

/** Waits for a span with this name. Returns all spans of its trace. */
async function collected(name: string, traceId?: string): Promise<CollectedSpan[]> {
  const isThere = (span: CollectedSpan) => span.name === name && (traceId ?? span.traceId) === span.traceId;
  await vi.waitUntil(() => collector.spans.some(isThere), { timeout: 15_000 });
  const found = collector.spans.find(isThere);
  return collector.spans.filter((span) => span.traceId === found?.traceId);
}

async function purchase(headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${server.origin}/api/orders`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ packageId: 1, email }),
  });
}

describe('with a collector', () => {
  test('one purchase is one trace from the caller through mailbox and commits to the suppliers', async () => {
    server = await start(otel({ OTEL_SERVICE_NAME: 'hotel-shop', OTEL_RESOURCE_ATTRIBUTES: 'team=travel' }));
    const traceparent = `00-${caller.traceId}-${caller.spanId}-01`;
    const answer = await purchase({ traceparent });
    const { id } = (await answer.json()) as { id: string };
    const spans = await collected('POST /api/orders', caller.traceId);
    const named = (name: string) => spans.filter((span) => span.name === name);

    const [request] = named('POST /api/orders');
    expect(request).toMatchObject({ kind: 2, parentSpanId: caller.spanId });
    expect(request?.attributes).toMatchObject({
      'http.route': '/api/orders',
      'http.response.status_code': 201,
    });
    expect(request?.resource).toMatchObject({ 'service.name': 'hotel-shop', team: 'travel' });

    expect(named('mailbox wait')).toMatchObject([{ parentSpanId: request?.spanId }]);
    // The first commit claims the unit, and the second confirms it.
    expect(named('commit').map(({ parentSpanId }) => parentSpanId)).toEqual([
      request?.spanId,
      request?.spanId,
    ]);
    const [saga] = named('saga book');
    expect(saga).toMatchObject({ parentSpanId: request?.spanId, attributes: { 'order.id': id } });
    const calls = named('supplier POST');
    expect(calls).toMatchObject([
      { kind: 3, parentSpanId: saga?.spanId, attributes: { supplier: 'flights' } },
      { kind: 3, parentSpanId: saga?.spanId, attributes: { supplier: 'hotels' } },
    ]);
    const heard = supplier.calls.filter(({ key }) => key === id).map(({ headers }) => headers.traceparent);
    expect(heard).toEqual(calls.map(({ spanId }) => `00-${caller.traceId}-${spanId}-01`));

    // Every span except the request's has its parent among the exported spans.
    const ids = new Set(spans.map(({ spanId }) => spanId));
    const loose = spans.filter(({ parentSpanId }) => parentSpanId === undefined || !ids.has(parentSpanId));
    expect(loose.map(({ name }) => name)).toEqual(['POST /api/orders']);
    expect(collector.text).not.toContain(email);
  });

  test('the span of a batch belongs to one trace and links to the others', async () => {
    server = await start(otel());
    await Promise.all(Array.from({ length: 40 }, () => purchase()));
    await vi.waitUntil(
      () => collector.spans.filter(({ name }) => name === 'POST /api/orders').length === 40,
      {
        timeout: 15_000,
      },
    );
    const requests = new Map(
      collector.spans.filter(({ name }) => name === 'POST /api/orders').map((span) => [span.spanId, span]),
    );
    const shared = collector.spans.filter(({ name, links }) => name === 'commit' && links.length > 0);
    expect(shared.length).toBeGreaterThan(0);
    for (const { links } of shared) {
      for (const { spanId, traceId } of links) expect(requests.get(spanId)?.traceId).toBe(traceId);
    }
  });

  test('a cancel is a trace of its own that includes its supplier calls', async () => {
    server = await start(otel());
    const { order } = await buy(server.origin, 1, { email });
    expect((await cancel(server.origin, order?.id ?? '', email)).status).toBe(200);
    const spans = await collected('POST /api/orders/:id/cancel');
    expect(spans.filter(({ name }) => name === 'supplier DELETE')).toHaveLength(2);
    expect(spans.some(({ name }) => name === 'saga clear')).toBe(true);
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
  });

  test('an unsampled caller stays unsampled, and an invalid context starts a new trace', async () => {
    server = await start(otel());
    await purchase({ traceparent: `00-${caller.traceId}-${caller.spanId}-00` });
    await purchase({ traceparent: `00-${'0'.repeat(32)}-${caller.spanId}-01` });
    await purchase({ traceparent: 'nonsense' });
    await vi.waitUntil(() => collector.spans.filter(({ name }) => name === 'POST /api/orders').length === 2, {
      timeout: 15_000,
    });
    expect(collector.spans.filter(({ traceId }) => traceId === caller.traceId)).toEqual([]);
    expect(new Set(collector.spans.map(({ traceId }) => traceId)).size).toBe(2);
  });

  test('OTEL_TRACES_SAMPLER decides which traces are sent', async () => {
    server = await start(otel({ OTEL_TRACES_SAMPLER: 'always_off' }));
    expect((await purchase()).status).toBe(201);
    await server.end('SIGTERM');
    expect(collector.spans).toEqual([]);
  });

  test('pending spans are sent when the server stops', async () => {
    server = await start(otel({ OTEL_BSP_SCHEDULE_DELAY: '60000' }));
    await purchase();
    expect(await server.end('SIGTERM')).toBe(0);
    expect(collector.spans.map(({ name }) => name)).toContain('POST /api/orders');
  });

  test('an unavailable collector is logged once and delays no request', async () => {
    await collector.stop();
    server = await start(otel({ OTEL_EXPORTER_OTLP_TIMEOUT: '300' }));
    for (let times = 0; times < 3; times++) expect((await purchase()).status).toBeLessThan(503);
    await vi.waitUntil(() => server.output().includes('OpenTelemetry'), { timeout: 20_000 });
    await purchase();
    expect(await server.end('SIGTERM')).toBe(0);
    expect(server.output().split('OpenTelemetry').length - 1).toBeLessThanOrEqual(2);
    collector = await startOtlpCollector();
  });
});

describe('the loaded modules of OpenTelemetry', () => {
  const tellLoaded = `
    import { registerHooks } from 'node:module';
    registerHooks({ resolve(specifier, context, next) {
      const found = next(specifier, context);
      const [, name] = /node_modules\\/(@opentelemetry\\/[\\w-]+)/.exec(found.url) ?? [];
      if (name) console.error('LOADED ' + name + '.');
      return found;
    } });`;
  const preload = { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(tellLoaded)}` };
  const loaded = () =>
    new Set([...server.output().matchAll(/LOADED (\S+)\./g)].map(([, name]) => name as string));

  test('are none without the OTEL_ variables', async () => {
    server = await start(preload);
    await purchase();
    expect(loaded()).toEqual(new Set());
    // prom-client loads only OpenTelemetry's interface, for exemplars that this program does not use.
    expect((await fetch(`${server.origin}/metrics`)).status).toBe(200);
    expect([...loaded()].filter((name) => name !== '@opentelemetry/api')).toEqual([]);
    expect(supplier.calls.at(-1)?.headers.traceparent).toBeUndefined();
  });

  test.each([
    { OTEL_SDK_DISABLED: 'true' },
    { OTEL_TRACES_EXPORTER: 'none' },
    { OTEL_EXPORTER_OTLP_ENDPOINT: '' },
  ])('are none with %o', async (settings) => {
    server = await start({ ...preload, ...otel(settings) });
    await purchase();
    expect(loaded()).toEqual(new Set());
  });

  test('include the SDK with the OTEL_ variables', async () => {
    const { OTEL_EXPORTER_OTLP_ENDPOINT: url, ...others } = otel();
    server = await start({ ...preload, ...others, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${url}/v1/traces` });
    await purchase();
    expect(loaded()).toContain('@opentelemetry/sdk-trace-node');
    await collected('commit');
  });
});
