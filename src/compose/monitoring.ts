import { Hono } from 'hono';
import type { Config } from '../config/config.ts';
import type { HttpTelemetry } from '../http/app-services.ts';
import { healthRoutes } from '../http/health.ts';
import { onError, problem } from '../http/problem.ts';
import { listenAt } from '../http/server/listen.ts';
import { createServer } from '../http/server/server.ts';
import { metricsRoutes } from '../http/telemetry/metrics-route.ts';
import type { Log } from '../observability/log.ts';

interface MonitoringOptions {
  readonly config: Pick<Config, 'host' | 'instanceId'>;
  /** 0 takes any free port. */
  readonly port: number;
  readonly log: Log;
  readonly telemetry: HttpTelemetry;
  /** Why the process cannot do its work; empty when it can. */
  readonly readinessProblems: () => Promise<string[]>;
}

/** A server that has only `/metrics`, `/healthz` and `/readyz`. */
export interface Monitoring {
  readonly port: number;
  close(): Promise<void>;
}

/** Serves the monitoring of a process without customers. @throws Error if the port is in use. */
export async function serveMonitoring(options: MonitoringOptions): Promise<Monitoring> {
  const { config, log, telemetry, readinessProblems } = options;
  const app = new Hono();
  app.route('/', healthRoutes({ engine: { readinessProblems }, settings: config }));
  app.route('/', metricsRoutes({ telemetry }));
  app.onError(onError(log));
  app.notFound((c) => problem(c, 'unknown_route'));
  const server = createServer(app, log);
  const port = await listenAt(server, { port: options.port, host: config.host });
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
