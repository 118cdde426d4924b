import { readFileSync } from 'node:fs';
import type { Config } from '../config/config.ts';
import { defined } from '../lib/defined.ts';
import type { Log } from './log.ts';
import type { TracingSource } from './opentelemetry.ts';
import type { MetricsPush } from './otlp-metrics.ts';
import {
  createMetrics,
  type Exposition,
  type GaugeSources,
  type MetricsSource,
} from './prometheus/exposition.ts';

/** The metrics of an instance, and its traces if it has a collector to send them to. */
export interface Telemetry {
  readonly metrics: MetricsSource;
  readonly tracing?: TracingSource;
  /** Sends the metrics to the collector from now on, if there is one. */
  push(sources: Omit<GaugeSources, 'build'>): Promise<void>;
  /** Sends spans that were not sent yet, and the last values of the metrics. */
  close(): Promise<void>;
}

export async function openTelemetry(config: Config, log: Log): Promise<Telemetry> {
  const metrics = createMetrics();
  const tracing = await openTracing(config, log);
  let push: MetricsPush | undefined;
  return {
    metrics,
    ...defined({ tracing }),
    async push(sources) {
      push = await openPush(config, log, metrics, sources);
    },
    close: async () => {
      await Promise.all([tracing?.close(), push?.close()]);
    },
  };
}

async function openTracing({ instanceId, tracing }: Config, log: Log): Promise<TracingSource | undefined> {
  if (tracing === undefined) return undefined;
  warnOfProtocol('traces', tracing.protocol, log);
  try {
    // OpenTelemetry is loaded only when it is needed, because it costs memory and time at the start.
    const { createTracing } = await import('./opentelemetry.ts');
    return await createTracing({ instanceId, version: programVersion(), log });
  } catch (err) {
    // Do not stop the start, because the program works without traces.
    log.error({ err }, 'traces cannot be sent: the OTEL_ variables are not understood');
    return undefined;
  }
}

async function openPush(
  config: Config,
  log: Log,
  metrics: MetricsSource,
  sources: Omit<GaugeSources, 'build'>,
): Promise<MetricsPush | undefined> {
  const { instanceId, metricsPush } = config;
  if (metricsPush === undefined) return undefined;
  warnOfProtocol('metrics', metricsPush.protocol, log);
  try {
    const [{ resourceOf }, { pushMetrics }] = await Promise.all([
      import('./opentelemetry.ts'),
      import('./otlp-metrics.ts'),
    ]);
    const version = programVersion();
    const resource = await resourceOf({ instanceId, version, log });
    const build = buildOf(config);
    const collect = () => metrics.collect({ ...sources, build });
    const push = await pushMetrics({ version, resource, collect, intervalMs: metricsPush.intervalMs });
    metrics.onRequest(push.request);
    return push;
  } catch (err) {
    log.error({ err }, 'metrics cannot be sent: the OTEL_ variables are not understood');
    return undefined;
  }
}

function warnOfProtocol(what: 'traces' | 'metrics', protocol: string | undefined, log: Log): void {
  if (protocol === undefined || protocol === 'http/json') return;
  log.warn({ protocol }, `${what} are sent as http/json: no other OTLP protocol is spoken`);
}

/** The part of the telemetry that an HTTP server uses. */
export function httpTelemetry(
  { metrics, tracing }: Pick<Telemetry, 'metrics' | 'tracing'>,
  config: Config,
  sources: Omit<GaugeSources, 'build'>,
) {
  const { logLevel } = config;
  const build = buildOf(config);
  return {
    metrics,
    logsRequests: logLevel === 'debug' || logLevel === 'trace',
    expose: (): Promise<Exposition> => metrics.expose({ ...sources, build }),
    ...defined({ tracing }),
  };
}

function buildOf({ engine, database }: Config): GaugeSources['build'] {
  return { version: programVersion(), node: process.versions.node, engine, store: database.kind };
}

/** The version in package.json. */
export function programVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
