import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Hono } from 'hono';
import type { Order } from '../../domain/order.ts';
import { defined } from '../../lib/defined.ts';
import type { Log } from '../../observability/log.ts';
import type { Metrics, PurchaseOutcome } from '../../observability/metrics.ts';
import type { Span, Tracing } from '../../observability/tracing.ts';
import type { AppServices } from '../app-services.ts';
import { orderIdInPath, redactedPath, requestIdOf } from './log-fields.ts';

export type RequestListener = (incoming: IncomingMessage, outgoing: ServerResponse) => unknown;

/** The receivers of telemetry about requests. */
interface Observation {
  readonly metrics: Metrics;
  readonly routeOf: (url: string) => string;
  /** Omitted when tracing is off. */
  readonly tracing?: Tracing;
  /** Gets a line per request. Omitted when requests are not logged. */
  readonly log?: Pick<Log, 'debug'>;
}

/** Not traced: requested by machines every few seconds. */
const untraced: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics', '/assets/:name']);
/** Methods that metrics name. Clients can send about thirty, and each would create time series of its own. */
const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
/** The status that nginx uses for callers that hang up before the answer. */
const hungUp = 499;

/** Counts, times and traces requests. Wraps the listener outside of Hono, where it costs least. */
export function observeRequests(listener: RequestListener, observation: Observation): RequestListener {
  const { metrics, routeOf, tracing, log } = observation;

  async function traced(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const route = routeOf(incoming.url ?? '');
    if (tracing === undefined || untraced.has(route)) return void (await listener(incoming, outgoing));
    const { method = '', headers } = incoming;
    const path = redactedPath(incoming.url ?? '');
    const parent = typeof headers.traceparent === 'string' ? headers.traceparent : undefined;
    const attributes = { 'http.request.method': method, 'http.route': route, 'url.path': path };
    await tracing.within(`${method} ${route}`, { kind: 'server', parent, attributes }, async (span: Span) => {
      await listener(incoming, outgoing);
      const status = statusOf(outgoing);
      span.set({ 'http.response.status_code': status });
      if (status >= 500) span.end(new Error(String(status)));
    });
  }

  const answer = tracing === undefined ? listener : traced;
  return (incoming, outgoing) => {
    const begunAt = performance.now();
    const report = () => {
      const { method = '', url = '' } = incoming;
      const route = routeOf(url);
      const status = statusOf(outgoing);
      const ms = performance.now() - begunAt;
      metrics.request(route, methods.has(method) ? method : 'other', status, ms / 1_000);
      if (log !== undefined)
        logRequest(log, incoming, { method, route, status, ms: Math.round(ms * 100) / 100 });
    };
    const answered = answer(incoming, outgoing);
    if (answered instanceof Promise) void answered.then(report, report);
    else report();
  };
}

function statusOf({ headersSent, statusCode, destroyed, writableFinished }: ServerResponse): number {
  const isCut = destroyed && !writableFinished;
  return headersSent && !isCut ? statusCode : hungUp;
}

function logRequest(log: Pick<Log, 'debug'>, incoming: IncomingMessage, fields: object): void {
  const path = redactedPath(incoming.url ?? '');
  log.debug(
    { requestId: requestIdOf(incoming), ...fields, path, ...orderIdInPath(path) },
    'a request was answered',
  );
}

/** Returns the wrapper that adds telemetry to a server's listener. Without telemetry it returns the listener itself. */
export function requestObserver(
  app: Pick<Hono, 'routes'>,
  { telemetry, log }: Pick<AppServices, 'telemetry' | 'log'>,
) {
  if (telemetry === undefined) return (listener: RequestListener) => listener;
  const { metrics, tracing, logsRequests } = telemetry;
  const options = {
    metrics,
    routeOf: routeNames(app),
    ...defined({ tracing, log: logsRequests ? log : undefined }),
  };
  return (listener: RequestListener) => observeRequests(listener, options);
}

/** The metrics' name for all paths that are no route. */
const noRoute = 'other';

/**
 * Returns a function from a URL to its route, such as `/api/orders/:id`, so that metrics have few names and no ids. Reads
 * the routes from the composed app. Paths without variables, such as those of purchases, take one look-up.
 */
export function routeNames({ routes }: Pick<Hono, 'routes'>): (url: string) => string {
  const paths = [...new Set(routes.map(({ path }) => path))].filter((path) => !path.includes('*'));
  const fixed = new Map(paths.filter((path) => !path.includes(':')).map((path) => [path, path]));
  const variable = Map.groupBy(
    paths.filter((path) => path.includes(':')).map((path) => ({ path, segments: path.split('/') })),
    ({ segments }) => segments.length,
  );

  function matching(path: string): string {
    const segments = path.split('/', 12);
    const alike = variable.get(segments.length) ?? [];
    const found = alike.find((route) =>
      route.segments.every((segment, at) => segment === segments[at] || segment.startsWith(':')),
    );
    return found?.path ?? noRoute;
  }

  return (url) => {
    const mark = url.indexOf('?');
    const path = mark < 0 ? url : url.slice(0, mark);
    return fixed.get(path) ?? matching(path);
  };
}

/** The outcome that metrics count for a purchase, from the order in its answer. */
export function purchaseOutcome({ status }: Order): PurchaseOutcome {
  switch (status) {
    case 'confirmed':
      return 'confirmed';
    case 'rejected':
      return 'sold_out';
    case 'compensating':
    case 'failed':
      return 'supplier_failed';
    default:
      return 'accepted';
  }
}
