import { readFileSync } from 'node:fs';
import type { Config } from '../config/config.ts';
import type { PackageSnapshot } from '../domain/travel-package.ts';
import type { Log } from './log.ts';
import type { TracingSource } from './opentelemetry.ts';
import { createMetrics, type Exposition, type MetricsSource } from './prometheus.ts';

/** What an instance tells of itself: figures always, traces where somebody takes them. */
export interface Telemetry {
  readonly metrics: MetricsSource;
  readonly tracing?: TracingSource;
  /** Sends what is still to be sent. */
  close(): Promise<void>;
}

/** What an engine shows of how things stand. */
interface Looked {
  packages(): Promise<readonly PackageSnapshot[]>;
  readinessProblems(): Promise<readonly string[]>;
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
  // Loaded only where it is asked for: it takes memory, and time at the start.
  try {
    const { createTracing } = await import('./opentelemetry.ts');
    const source = await createTracing({ instanceId, version: programVersion(), log });
    return { metrics, tracing: source, close: () => source.close() };
  } catch (err) {
    // Sales go on without.
    log.error({ err }, 'traces cannot be sent: the OTEL_ variables are not understood');
    return { metrics, close: async () => {} };
  }
}

/** What the HTTP side reports to, and shows to operators. */
export function httpTelemetry({ metrics, tracing }: Telemetry, config: Config, engine: Looked) {
  const { logLevel, engine: kind, database } = config;
  const build = {
    version: programVersion(),
    node: process.versions.node,
    engine: kind,
    store: database.kind,
  };
  const surroundings = {
    packages: () => engine.packages(),
    missing: () => engine.readinessProblems(),
    build,
  };
  return {
    metrics,
    logsRequests: logLevel === 'debug' || logLevel === 'trace',
    expose: (): Promise<Exposition> => metrics.expose(surroundings),
    ...(tracing === undefined ? {} : { tracing }),
  };
}

/** As package.json has it. */
export function programVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
