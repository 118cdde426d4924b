import { readFileSync } from 'node:fs';
import type { Config } from '../config/config.ts';
import { defined } from '../lib/defined.ts';
import type { Log } from './log.ts';
import type { TracingSource } from './opentelemetry.ts';
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
  /** Sends spans that were not sent yet. */
  close(): Promise<void>;
}

export async function openTelemetry({ instanceId, tracing }: Config, log: Log): Promise<Telemetry> {
  const metrics = createMetrics();
  if (tracing === undefined) return { metrics, close: async () => {} };
  if (tracing.protocol !== undefined && tracing.protocol !== 'http/json') {
    log.warn(
      { protocol: tracing.protocol },
      'traces are sent as http/json: no other OTLP protocol is spoken',
    );
  }
  try {
    // OpenTelemetry is loaded only when it is needed, because it costs memory and time at the start.
    const { createTracing } = await import('./opentelemetry.ts');
    const source = await createTracing({ instanceId, version: programVersion(), log });
    return { metrics, tracing: source, close: () => source.close() };
  } catch (err) {
    // Do not stop the start, because the program works without traces.
    log.error({ err }, 'traces cannot be sent: the OTEL_ variables are not understood');
    return { metrics, close: async () => {} };
  }
}

/** The part of the telemetry that an HTTP server uses. */
export function httpTelemetry(
  { metrics, tracing }: Pick<Telemetry, 'metrics' | 'tracing'>,
  config: Config,
  sources: Omit<GaugeSources, 'build'>,
) {
  const { logLevel, engine: kind, database } = config;
  const node = process.versions.node;
  const build = { version: programVersion(), node, engine: kind, store: database.kind };
  return {
    metrics,
    logsRequests: logLevel === 'debug' || logLevel === 'trace',
    expose: (): Promise<Exposition> => metrics.expose({ ...sources, build }),
    ...defined({ tracing }),
  };
}

/** The version in package.json. */
export function programVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
