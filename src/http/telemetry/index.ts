import type { Hono } from 'hono';
import type { AppDeps } from '../deps.ts';
import { type Listener, observed } from './observed.ts';
import { routeNames } from './route-names.ts';

/** How the server tells of what it answers; as it is where nobody looks. */
export function observer(app: Pick<Hono, 'routes'>, { telemetry, log }: Pick<AppDeps, 'telemetry' | 'log'>) {
  if (telemetry === undefined) return (listener: Listener) => listener;
  const { metrics, tracing, logsRequests } = telemetry;
  const options = {
    metrics,
    routeOf: routeNames(app),
    ...(tracing === undefined ? {} : { tracing }),
    ...(logsRequests ? { log } : {}),
  };
  return (listener: Listener) => observed(listener, options);
}
