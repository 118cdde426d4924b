import { type Context, Hono } from 'hono';
import type { BookingEngine } from '../engine/engine.ts';
import type { HttpSettings } from './app-services.ts';
import { sendJson } from './json.ts';
import { serveRoutes } from './methods.ts';
import { problem } from './problem.ts';

/** What the probes need. */
interface Health {
  readonly engine: Pick<BookingEngine, 'readinessProblems'>;
  readonly settings: Pick<HttpSettings, 'instanceId'>;
}

/**
 * `/healthz` answers 200 while the event loop runs; a process that does not answer should be restarted. `/readyz`
 * answers 200 while the server can take orders, otherwise 503 with what is missing.
 */
export function healthRoutes({ engine, settings }: Health): Hono {
  const instance = settings.instanceId;
  const readiness = async (c: Context) => {
    const missing = await engine.readinessProblems();
    if (missing.length === 0) return sendJson(200, { status: 'ready', instance });
    return problem(c, 'not_ready', { detail: `Missing: ${missing.join('; ')}.` });
  };
  return serveRoutes({
    '/healthz': { GET: () => sendJson(200, { status: 'ok', instance }) },
    '/readyz': { GET: readiness },
  });
}

/**
 * The app that runs during the start, while the store cannot be reached. Every request but `/healthz` gets 503 with the
 * reason.
 */
export function createStartupApp(instanceId: string, missing: () => string): Hono {
  return new Hono()
    .get('/healthz', () => sendJson(200, { status: 'ok', instance: instanceId }))
    .get('/readyz', (c) => problem(c, 'not_ready', { detail: `Missing: ${missing()}.` }))
    .all('*', (c) => problem(c, 'store_unavailable'));
}
