import { type Context, Hono } from 'hono';
import type { AppServices } from '../app-services.ts';
import { jsonHeaders, sendText } from '../json.ts';
import { allowOnly } from '../methods.ts';
import { problem } from '../problem.ts';
import { incomingRequest } from '../sender.ts';
import { isFromPrivateNetwork } from './nearby.ts';

/**
 * `GET /metrics`, for Prometheus: to machines nearby, and to operators. To everybody else there is nothing here, or,
 * where there are operators, a token is missing.
 */
export function metricsRoutes({ telemetry, admin }: Pick<AppServices, 'telemetry' | 'admin'>): Hono {
  const read = async (c: Context): Promise<Response> => {
    const sender = incomingRequest(c);
    const isNearby = sender !== undefined && isFromPrivateNetwork(sender);
    if (telemetry === undefined || !(isNearby || admin !== undefined)) return problem(c, 'unknown_route');
    if (!isNearby) await admin?.identity.identify(c);
    const { contentType, text } = await telemetry.expose();
    return sendText(200, text, jsonHeaders({ 'Content-Type': contentType }));
  };
  return new Hono().get('/metrics', read).all('/metrics', allowOnly('GET'));
}
