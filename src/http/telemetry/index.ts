import type { Hono } from 'hono';
import type { AppServices } from '../app-services.ts';
import { observeRequests, type RequestListener } from './observe-requests.ts';
import { routeNames } from './route-names.ts';

/** How the server tells of what it answers; as it is where nobody looks. */
export function requestObserver(
  app: Pick<Hono, 'routes'>,
  { telemetry, log }: Pick<AppServices, 'telemetry' | 'log'>,
) {
  if (telemetry === undefined) return (listener: RequestListener) => listener;
  const { metrics, tracing, logsRequests } = telemetry;
  const options = {
    metrics,
    routeOf: routeNames(app),
    ...(tracing === undefined ? {} : { tracing }),
    ...(logsRequests ? { log } : {}),
  };
  return (listener: RequestListener) => observeRequests(listener, options);
}
