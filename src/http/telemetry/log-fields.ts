import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Context } from 'hono';
import { bindings } from '../bindings.ts';

/** The request ids that are accepted: all usual formats, but no emails and no URLs. */
const wellFormed = /^[\w.:~+/=-]{8,128}$/;
const traceId = /^[\da-f]{2}-(?!0{32})([\da-f]{32})-[\da-f]{16}-[\da-f]{2}/;

/** Ids by request, created when first used. All answers and log lines of a request share its id. */
const made = new WeakMap<object, string>();

type Headers = IncomingMessage['headers'];

/**
 * The id of a request in logs and in answers about failures. It is the `X-Request-Id`, or else the trace id, or else a
 * new id. Malformed ids are ignored.
 */
export function requestIdOf(request: { readonly headers: Headers }): string {
  return idFor(request, request.headers);
}

function idFor(request: object, headers: Headers): string {
  let id = made.get(request);
  if (id === undefined) {
    id = named(headers) ?? randomUUID();
    made.set(request, id);
  }
  return id;
}

/** Like {@link requestIdOf}, for a Hono context. */
export function requestIdOfContext(c: Context): string {
  const { incoming } = bindings(c);
  // Tests call the app without a server.
  return incoming === undefined ? idFor(c.req, c.req.header()) : requestIdOf(incoming);
}

function named(headers: Headers): string | undefined {
  const id = headers['x-request-id'];
  if (typeof id === 'string' && wellFormed.test(id)) return id;
  const trace = headers.traceparent;
  return typeof trace === 'string' ? traceId.exec(trace)?.[1] : undefined;
}

/** A path segment that cannot contain an email, escaped or not. */
const plain = /^[\w.:-]*$/;
const orderId = /(?<=\/orders\/)[0-9A-Za-z]{4}(?:-[0-9A-Za-z]{4}){3}(?=\/|$)/;

/** The path of a URL for logs: without its query, and with segments hidden that might be an email. */
export function redactedPath(url: string): string {
  const [path = ''] = url.split(/[?#]/, 1);
  return path
    .slice(0, 200)
    .split('/')
    .map((segment) => (plain.test(segment) ? segment : '(hidden)'))
    .join('/');
}

/** The id of the order in a path, as log fields. */
export function orderIdInPath(path: string): { readonly orderId?: string } {
  const id = orderId.exec(path)?.[0];
  return id === undefined ? {} : { orderId: id.toUpperCase() };
}
