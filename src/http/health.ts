import { Hono } from 'hono';
import type { AppServices } from './app-services.ts';
import { sendJson } from './json.ts';
import { allowOnly } from './methods.ts';
import { problem } from './problem.ts';

/**
 * `/healthz` answers while the event loop turns: restart the process when it does not.
 * `/readyz` answers 200 while orders can be taken: send customers elsewhere when it does not.
 */
export function healthRoutes({ engine, settings }: Pick<AppServices, 'engine' | 'settings'>): Hono {
  const instance = settings.instanceId;
  return new Hono()
    .get('/healthz', () => sendJson(200, { status: 'ok', instance }))
    .all('/healthz', allowOnly('GET'))
    .get('/readyz', async (c) => {
      const missing = await engine.missing();
      if (missing.length === 0) return sendJson(200, { status: 'ready', instance });
      return problem(c, 'not_ready', { detail: `Missing: ${missing.join('; ')}.` });
    })
    .all('/readyz', allowOnly('GET'));
}

/** What is served while the store cannot be reached at the start: everything is 503, and why. */
export function createStartupApp(instanceId: string, missing: () => string): Hono {
  return new Hono()
    .get('/healthz', () => sendJson(200, { status: 'ok', instance: instanceId }))
    .get('/readyz', (c) => problem(c, 'not_ready', { detail: `Missing: ${missing()}.` }))
    .all('*', (c) => problem(c, 'store_unavailable'));
}
