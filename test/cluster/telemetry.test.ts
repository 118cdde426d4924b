import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type Cluster, type ClusterInstance, startCluster } from '../support/cluster.ts';
import { samplesOf } from '../support/exposition.ts';
import { type FaultySupplier, startFaultySupplier } from '../support/faulty-supplier.ts';
import { type CollectedSpan, type OtlpCollector, startOtlpCollector } from '../support/otlp-collector.ts';
import { onSale } from '../support/server.ts';
import { type RedisServer, startRedis } from '../support/servers/redis.ts';

const email = 'buyer@example.com';
let collector: OtlpCollector;
let supplier: FaultySupplier;
let leaseNode: RedisServer;
let cluster: Cluster;
const parts = new AsyncDisposableStack();

beforeAll(async () => {
  collector = parts.adopt(await startOtlpCollector(), (opened) => opened.stop());
  leaseNode = parts.use(await startRedis());
  supplier = parts.adopt(await startFaultySupplier(), (opened) => opened.stop());
  cluster = await startCluster({
    instances: 2,
    packages: [onSale({ quota: 50 })],
    suppliersUrl: supplier.url,
    settings: {
      REDLOCK_URLS: leaseNode.url,
      LEASE_TTL_MS: '1000',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_BSP_SCHEDULE_DELAY: '100',
    },
  });
  parts.use(cluster);
});
afterAll(() => parts.disposeAsync());

async function buy(origin: string, more: Record<string, string> = {}): Promise<number> {
  const headers = { 'content-type': 'application/json', ...more };
  const body = JSON.stringify({ packageId: 1, email });
  return (await fetch(`${origin}/api/orders`, { method: 'POST', headers, body })).status;
}

async function ready(origin: string): Promise<readonly [number, string]> {
  const answer = await fetch(`${origin}/readyz`);
  return [answer.status, await answer.text()];
}

/** The owner of the package, and the other instance. */
async function roles(): Promise<readonly [owner: ClusterInstance, other: ClusterInstance]> {
  const owner = await cluster.ownerOf(1);
  const other = cluster.instances.find((instance) => instance !== owner);
  if (owner === undefined || other === undefined) throw new Error('nobody owns the package');
  return [owner, other];
}

it('a purchase at one instance and its booking at the owner are one trace, and each instance counts its part', async () => {
  await vi.waitFor(async () => expect(await buy(cluster.origins[0] as string)).toBe(201), {
    timeout: 15_000,
  });
  const [owner, other] = await roles();
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  expect(await buy(other.origin, { traceparent: `00-${traceId}-b7ad6b7169203331-01` })).toBe(201);
  const here = [other.id, 'POST /api/orders', 'ask owner'];
  const there = [owner.id, 'mailbox wait', 'commit', 'saga book', 'supplier POST'];
  for (const [instance, ...names] of [here, there]) {
    for (const name of names) {
      const isIt = (span: CollectedSpan) =>
        span.traceId === traceId && span.name === name && span.resource['service.instance.id'] === instance;
      await vi.waitUntil(() => collector.spans.some(isIt), { timeout: 15_000 });
    }
  }
  const spans = collector.spans.filter((span) => span.traceId === traceId);
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const loose = spans.filter(({ parentSpanId = '' }) => !ids.has(parentSpanId));
  expect(loose.map(({ name }) => name)).toEqual(['POST /api/orders']);

  const samples = samplesOf(await (await fetch(`${other.origin}/metrics`)).text());
  expect(samples.get('ticket_booking_messages_total{result="answered"}')).toBeGreaterThan(0);
  expect(samples.get('ticket_booking_inbox_messages')).toBe(0);
  expect(samples.get('ticket_booking_orders_total{status="confirmed"}')).toBe(0);
  const owners = samplesOf(await (await fetch(`${owner.origin}/metrics`)).text());
  expect(owners.get('ticket_booking_orders_total{status="confirmed"}')).toBeGreaterThan(0);
});

it('an instance is not ready while the lease service is down, even if Redis and the store are up', async () => {
  for (const origin of cluster.origins) {
    await vi.waitFor(async () => expect((await ready(origin))[0]).toBe(200), { timeout: 15_000 });
  }
  await leaseNode.kill();
  for (const origin of cluster.origins) {
    const away = expect.stringContaining('the lease service does not answer');
    await vi.waitFor(async () => expect(await ready(origin)).toEqual([503, away]), { timeout: 15_000 });
    expect((await ready(origin))[1]).not.toContain('Redis does not answer');
  }
  await leaseNode.restart();
  for (const origin of cluster.origins) {
    await vi.waitFor(async () => expect((await ready(origin))[0]).toBe(200), { timeout: 15_000 });
    await vi.waitFor(async () => expect(await buy(origin)).toBe(201), { timeout: 15_000 });
  }
});

it('an instance is not ready while the lease service hangs', async () => {
  const origin = cluster.origins[0] as string;
  const paused = leaseNode.pause(6_000);
  const away = expect.stringContaining('the lease service does not answer');
  await vi.waitFor(async () => expect(await ready(origin)).toEqual([503, away]), { timeout: 5_500 });
  await paused;
  await vi.waitFor(async () => expect((await ready(origin))[0]).toBe(200), { timeout: 15_000 });
});
