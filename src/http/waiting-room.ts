import { Hono } from 'hono';
import { sendJson } from './json.ts';
import { problem } from './problem.ts';

/** What is served while the store cannot be reached at the start: everything is 503, and why. */
export function createStartupApp(instanceId: string, missing: () => string): Hono {
  return new Hono()
    .get('/healthz', () => sendJson(200, { status: 'ok', instance: instanceId }))
    .get('/readyz', (c) => problem(c, 'not_ready', { detail: `Missing: ${missing()}.` }))
    .all('*', (c) => problem(c, 'store_unavailable'));
}
