import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Hono } from 'hono';
import type { Order } from '../../domain/order.ts';
import { failureOf } from '../../domain/refusals.ts';
import type { PurchaseOutcome } from '../../observability/metrics.ts';
import type { Tracing } from '../../observability/tracing.ts';
import type { AppServices } from '../app-services.ts';
import { orderIdInPath, redactedPath, requestIdOf } from './log-fields.ts';

export type RequestListener = (incoming: IncomingMessage, outgoing: ServerResponse) => unknown;

/** Routes that are not traced, because machines request them every few seconds. */
const untraced: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics', '/assets/:name']);
/** Methods that metrics name. Clients can send about thirty, and each would create time series of its own. */
const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
/** The status that nginx uses for callers that hang up before the answer. */
const hungUp = 499;

/**
 * Returns the wrapper of a server's listener that counts, times and traces requests. The wrapper works outside of Hono,
 * where counting costs least. Without telemetry it returns the listener itself.
 */
export function requestObserver(
  app: Pick<Hono, 'routes'>,
  { telemetry, log }: Pick<AppServices, 'telemetry' | 'log'>,
): (listener: RequestListener) => RequestListener {
  if (telemetry === undefined) return (listener) => listener;
  const { metrics, tracing, logsRequests } = telemetry;
  const routeOf = routeNames(app);

  function report(incoming: IncomingMessage, outgoing: ServerResponse, begunAt: number): void {
    const { method = '', url = '' } = incoming;
    const route = routeOf(url);
    const status = statusOf(outgoing);
    const ms = performance.now() - begunAt;
    metrics.request(route, methods.has(method) ? method : 'other', status, ms / 1_000);
    if (!logsRequests) return;
    const path = redactedPath(url);
    const fields = {
      requestId: requestIdOf(incoming),
      method,
      route,
      status,
      ms: Math.round(ms * 100) / 100,
    };
    log.debug({ ...fields, path, ...orderIdInPath(path) }, 'a request was answered');
  }

  return (listener) => {
    const answer = tracing === undefined ? listener : traced(listener, tracing, routeOf);
    return (incoming, outgoing) => {
      const begunAt = performance.now();
      const done = () => report(incoming, outgoing, begunAt);
      const answered = answer(incoming, outgoing);
      if (answered instanceof Promise) void answered.then(done, done);
      else done();
    };
  };
}

/** Puts a listener into a span for each request. */
function traced(listener: RequestListener, tracing: Tracing, routeOf: RouteNames): RequestListener {
  return async (incoming, outgoing) => {
    const route = routeOf(incoming.url ?? '');
    if (untraced.has(route)) return listener(incoming, outgoing);
    const { method = '', headers } = incoming;
    const path = redactedPath(incoming.url ?? '');
    const parent = typeof headers.traceparent === 'string' ? headers.traceparent : undefined;
    const attributes = { 'http.request.method': method, 'http.route': route, 'url.path': path };
    return tracing.within(`${method} ${route}`, { kind: 'server', parent, attributes }, async (span) => {
      await listener(incoming, outgoing);
      const status = statusOf(outgoing);
      span.set({ 'http.response.status_code': status });
      if (status >= 500) span.end(new Error(String(status)));
    });
  };
}

function statusOf({ headersSent, statusCode, destroyed, writableFinished }: ServerResponse): number {
  const isCut = destroyed && !writableFinished;
  return headersSent && !isCut ? statusCode : hungUp;
}

type RouteNames = (url: string) => string;

/** The metrics' name for all paths that are no route. */
const noRoute = 'other';

/**
 * Returns a function from a URL to its route, such as `/api/orders/:id`, so that metrics have few names and no ids. Reads
 * the routes from the composed app. Paths without variables, such as those of purchases, take one look-up.
 */
export function routeNames({ routes }: Pick<Hono, 'routes'>): RouteNames {
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
export function purchaseOutcome(order: Order): PurchaseOutcome {
  switch (order.status) {
    case 'confirmed':
      return 'confirmed';
    case 'rejected':
      return 'sold_out';
    case 'compensating':
    case 'failed':
      return failureOf(order);
    default:
      return 'accepted';
  }
}
