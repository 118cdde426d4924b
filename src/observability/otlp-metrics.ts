import type { HrTime } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import type { DataPoint, Histogram, MetricData } from '@opentelemetry/sdk-metrics';
import { settlesWithin } from '../lib/deadline.ts';
import type { MetricValues, RequestReport } from './prometheus/exposition.ts';

/** Sends the metrics of an instance to a collector. */
export interface MetricsPush {
  /** Counts a request by the names of the semantic conventions. */
  readonly request: RequestReport;
  /** Sends the last values, for two seconds at most. */
  close(): Promise<void>;
}

export interface MetricsPushOptions {
  readonly version: string;
  readonly resource: Resource;
  readonly intervalMs: number;
  /** The values of `/metrics`. */
  readonly collect: () => Promise<readonly MetricValues[]>;
}

type Sdk = typeof import('@opentelemetry/sdk-metrics');

const closeTimeoutMs = 2_000;
/** https://opentelemetry.io/docs/specs/semconv/http/http-metrics/#metric-httpserverrequestduration */
const requestBounds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/**
 * Sends metrics with OpenTelemetry, as OTLP over HTTP (JSON): those of `/metrics` under the same names, and requests as
 * `http.server.request.duration`. The SDK reads the collector's URL and headers from the standard variables. This call
 * loads the SDK.
 */
export async function pushMetrics(options: MetricsPushOptions): Promise<MetricsPush> {
  const { version, resource, intervalMs: exportIntervalMillis, collect } = options;
  const [api, sdk, { OTLPMetricExporter }] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-metrics'),
    import('@opentelemetry/exporter-metrics-otlp-http'),
  ]);
  const startTime = hrTime(performance.timeOrigin);
  const scope = { name: 'ticket-booking', version };
  const producer = {
    async collect() {
      const times = { startTime, endTime: hrTime(performance.timeOrigin + performance.now()) };
      const metrics = (await collect()).flatMap((metric) => dataOf(metric, sdk, api.ValueType.DOUBLE, times));
      return { resourceMetrics: { resource, scopeMetrics: [{ scope, metrics }] }, errors: [] };
    },
  };
  const reader = new sdk.PeriodicExportingMetricReader({
    ...{ exporter: new OTLPMetricExporter(), exportIntervalMillis },
    exportTimeoutMillis: Math.min(exportIntervalMillis, 10_000),
    metricProducers: [producer],
  });
  const provider = new sdk.MeterProvider({ resource, readers: [reader] });
  const duration = provider
    .getMeter('ticket-booking', version)
    .createHistogram('http.server.request.duration', {
      unit: 's',
      description: 'Duration of HTTP server requests.',
      advice: { explicitBucketBoundaries: requestBounds },
    });
  return {
    request: (route, method, status, seconds) =>
      duration.record(seconds, attributesOf(route, method, status)),
    close: async () => {
      await settlesWithin(closeTimeoutMs, provider.shutdown());
    },
  };
}

/** The status that stands for a client which hung up before the answer. */
const hungUp = 499;

function attributesOf(route: string, method: string, status: number) {
  return {
    'url.scheme': 'http',
    'http.request.method': method === 'other' ? '_OTHER' : method,
    ...(route === 'other' ? {} : { 'http.route': route }),
    ...(status === hungUp ? { 'error.type': 'hung_up' } : { 'http.response.status_code': status }),
    ...(status >= 500 ? { 'error.type': String(status) } : {}),
  };
}

type Times = Pick<DataPoint<number>, 'startTime' | 'endTime'>;

/** A metric of `/metrics` as OpenTelemetry has it. Summaries, of which there are none, are left out. */
function dataOf(
  { name, help, type, values }: MetricValues,
  sdk: Sdk,
  valueType: MetricData['descriptor']['valueType'],
  times: Times,
): MetricData[] {
  const descriptor = { name, description: help, unit: unitOf(name), valueType };
  const base = { descriptor, aggregationTemporality: sdk.AggregationTemporality.CUMULATIVE };
  // JSON has no NaN, which a gauge without a measurement has, and a collector refuses all metrics for one.
  const points = () =>
    values
      .filter(({ value }) => Number.isFinite(value))
      .map(({ labels, value }) => ({ ...times, attributes: { ...labels }, value }));
  switch (type) {
    case 'counter':
      return [{ ...base, dataPointType: sdk.DataPointType.SUM, isMonotonic: true, dataPoints: points() }];
    case 'gauge':
      return [{ ...base, dataPointType: sdk.DataPointType.GAUGE, dataPoints: points() }];
    case 'histogram':
      return [
        { ...base, dataPointType: sdk.DataPointType.HISTOGRAM, dataPoints: histogramsOf(values, times) },
      ];
    default:
      return [];
  }
}

/** Histograms from cumulative buckets, which come in ascending order. */
function histogramsOf(values: MetricValues['values'], times: Times): DataPoint<Histogram>[] {
  const series = Map.groupBy(values, ({ labels: { le: _, ...labels } }) => JSON.stringify(labels));
  return [...series].map(([labels, samples]) => {
    const ending = (end: string) => samples.filter(({ metricName }) => metricName?.endsWith(end));
    const buckets = ending('_bucket');
    const boundaries = buckets.map(({ labels: { le } }) => Number(le)).filter(Number.isFinite);
    const counts = buckets.map(({ value }, index) => value - (buckets[index - 1]?.value ?? 0));
    const [sum, count] = [ending('_sum')[0]?.value ?? 0, ending('_count')[0]?.value ?? 0];
    return {
      ...times,
      attributes: JSON.parse(labels),
      value: { buckets: { boundaries, counts }, sum, count },
    };
  });
}

/** The UCUM unit that Prometheus's naming conventions put into the name. */
function unitOf(name: string): string {
  const bare = name.replace(/_total$/, '');
  if (bare.endsWith('_seconds')) return 's';
  return bare.endsWith('_bytes') ? 'By' : '1';
}

function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1_000);
  return [seconds, Math.round((ms - seconds * 1_000) * 1e6)];
}
