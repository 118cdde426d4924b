import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

/** A span in the JSON form of OTLP/HTTP. */
export interface CollectedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  /** The kind of the span: 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  readonly kind: number;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Attributes of the sending process. */
  readonly resource: Readonly<Record<string, unknown>>;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status: { readonly code?: number; readonly message?: string };
}

/** A value of a metric in the JSON form of OTLP/HTTP. */
export interface CollectedPoint {
  readonly name: string;
  readonly unit: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** The value of a counter or gauge, or how many values a histogram has counted. */
  readonly value: number;
  /** Attributes of the sending process. */
  readonly resource: Readonly<Record<string, unknown>>;
}

export interface OtlpCollector {
  /** The value for `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly url: string;
  readonly spans: readonly CollectedSpan[];
  /** The values of metrics that came last. */
  readonly points: readonly CollectedPoint[];
  /** All received requests as text. */
  readonly text: string;
  stop(): Promise<void>;
}

interface Attribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

interface Sent {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly {
      readonly spans: readonly (Omit<CollectedSpan, 'attributes' | 'links' | 'resource'> & {
        readonly attributes?: readonly Attribute[];
        readonly links?: CollectedSpan['links'];
      })[];
    }[];
  }[];
}

interface SentPoint {
  readonly attributes?: readonly Attribute[];
  readonly asDouble?: number;
  readonly count?: number;
}

interface SentMetrics {
  readonly resourceMetrics: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeMetrics: readonly {
      readonly metrics: readonly ({ readonly name: string; readonly unit: string } & Readonly<
        Partial<Record<'sum' | 'gauge' | 'histogram', { readonly dataPoints: readonly SentPoint[] }>>
      >)[];
    }[];
  }[];
}

/** Starts an OTLP collector that records the traces of `/v1/traces` and the metrics of `/v1/metrics`. */
export async function startOtlpCollector(): Promise<OtlpCollector> {
  const spans: CollectedSpan[] = [];
  let points: CollectedPoint[] = [];
  const texts: string[] = [];
  const server = createServer(async (request, response) => {
    const sent = await json(request);
    texts.push(JSON.stringify(sent));
    if (request.url === '/v1/traces') spans.push(...spansOf(sent as Sent));
    if (request.url === '/v1/metrics') points = pointsOf(sent as SentMetrics);
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    get points() {
      return points;
    },
    get text() {
      return texts.join('\n');
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function spansOf({ resourceSpans }: Sent): CollectedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap((scope) =>
      scope.spans.map((span) => ({
        ...span,
        links: span.links ?? [],
        attributes: valuesOf(span.attributes ?? []),
        resource: valuesOf(resource.attributes),
      })),
    ),
  );
}

function pointsOf({ resourceMetrics }: SentMetrics): CollectedPoint[] {
  return resourceMetrics.flatMap(({ resource, scopeMetrics }) =>
    scopeMetrics.flatMap(({ metrics }) =>
      metrics.flatMap(({ name, unit, sum, gauge, histogram }) =>
        ((sum ?? gauge ?? histogram)?.dataPoints ?? []).map(({ attributes = [], asDouble, count = 0 }) => ({
          ...{ name, unit, attributes: valuesOf(attributes) },
          value: asDouble ?? count,
          resource: valuesOf(resource.attributes),
        })),
      ),
    ),
  );
}

function valuesOf(attributes: readonly Attribute[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
