import { type Context, Hono } from 'hono';
import type { AppDeps } from '../deps.ts';
import { jsonHeaders, sendText } from '../json.ts';
import { allowOnly } from '../methods.ts';
import { problem } from '../problem.ts';
import { senderOf } from '../sender.ts';
import { isFromNearby } from './nearby.ts';

/**
 * `GET /metrics`, for Prometheus: to machines nearby, and to operators. To everybody else there is nothing here, or,
 * where there are operators, a token is missing.
 */
export function metricsRoutes({ telemetry, admin }: Pick<AppDeps, 'telemetry' | 'admin'>): Hono {
  const read = async (c: Context): Promise<Response> => {
    const sender = senderOf(c);
    const isNearby = sender !== undefined && isFromNearby(sender);
    if (telemetry === undefined || !(isNearby || admin !== undefined)) return problem(c, 'unknown_route');
    if (!isNearby) await admin?.identity.identify(c);
    const { contentType, text } = await telemetry.expose();
    return sendText(200, text, jsonHeaders({ 'Content-Type': contentType }));
  };
  return new Hono().get('/metrics', read).all('/metrics', allowOnly('GET'));
}
