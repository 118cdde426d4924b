import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Hono } from 'hono';
import type { Order } from '../../domain/order.ts';
import type { Log } from '../../observability/log.ts';
import type { Metrics, PurchaseOutcome } from '../../observability/metrics.ts';
import type { Span, Tracing } from '../../observability/tracing.ts';
import type { AppServices } from '../app-services.ts';
import { orderIdInPath, redactedPath, requestIdOf } from './log-fields.ts';

export type RequestListener = (incoming: IncomingMessage, outgoing: ServerResponse) => unknown;

/** What is told of each request, and to whom. */
export interface Observation {
  readonly metrics: Metrics;
  readonly routeOf: (url: string) => string;
  /** Absent where nothing is traced. */
  readonly tracing?: Tracing;
  /** Gets a line per request; absent where nobody wants those. */
  readonly log?: Pick<Log, 'debug'>;
}

/** Asked every few seconds by machines: nobody wants to see those traced. */
const untraced: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics', '/assets/:name']);
/** Anybody may send any of the thirty methods that HTTP parsers know, and each would make series of its own. */
const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
/** As nginx has it: the caller had hung up before there was an answer. */
const hungUp = 499;

/** Counts, times and traces what a listener answers. It stands outside of the app, so that a sale pays next to nothing. */
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
    const told = () => {
      const { method = '', url = '' } = incoming;
      const route = routeOf(url);
      const status = statusOf(outgoing);
      const ms = performance.now() - begunAt;
      metrics.request(route, methods.has(method) ? method : 'other', status, ms / 1_000);
      if (log !== undefined) tell(log, incoming, { method, route, status, ms: Math.round(ms * 100) / 100 });
    };
    const answered = answer(incoming, outgoing);
    if (answered instanceof Promise) void answered.then(told, told);
    else told();
  };
}

function statusOf({ headersSent, statusCode, destroyed, writableFinished }: ServerResponse): number {
  const isCut = destroyed && !writableFinished;
  return headersSent && !isCut ? statusCode : hungUp;
}

function tell(log: Pick<Log, 'debug'>, incoming: IncomingMessage, fields: object): void {
  const path = redactedPath(incoming.url ?? '');
  log.debug(
    { requestId: requestIdOf(incoming), ...fields, path, ...orderIdInPath(path) },
    'a request was answered',
  );
}

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

/** What a metric calls a path that is no route: there are as many of those as anybody likes. */
const noRoute = 'other';

/**
 * Tells the route of an address, as a pattern such as `/api/orders/:id`: metrics need few names, and no ids. It reads
 * them from the app once it is composed. Addresses without variables, where sales are made, cost one look-up.
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

/** How a purchase was answered, by the order that it was answered with. */
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
