import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Context } from 'hono';

/** What a name for a request may be made of: enough for every usual form, too little for an email or an address. */
const wellFormed = /^[\w.:~+/=-]{8,128}$/;
const traceId = /^[\da-f]{2}-(?!0{32})([\da-f]{32})-[\da-f]{16}-[\da-f]{2}/;

/** Made only for requests that are told of: their answers and log lines share one. */
const made = new WeakMap<object, string>();

type Headers = IncomingMessage['headers'];

/**
 * The name of a request in logs and in answers that tell of a failure: its `X-Request-Id`, else the trace that it
 * belongs to, else a new one. What is not well formed is passed over.
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

/** The same, for who has a context. */
export function requestIdOfContext(c: Context): string {
  const incoming = (c.env as { incoming?: IncomingMessage } | undefined)?.incoming;
  // Without a server behind it there is only what the app made of the request.
  return incoming === undefined ? idFor(c.req, c.req.header()) : requestIdOf(incoming);
}

function named(headers: Headers): string | undefined {
  const id = headers['x-request-id'];
  if (typeof id === 'string' && wellFormed.test(id)) return id;
  const trace = headers.traceparent;
  return typeof trace === 'string' ? traceId.exec(trace)?.[1] : undefined;
}

/** A segment that no email hides in, escaped or not. */
const plain = /^[\w.:-]*$/;
const orderId = /(?<=\/orders\/)[0-9A-Za-z]{4}(?:-[0-9A-Za-z]{4}){3}(?=\/|$)/;

/** The path of a request's address as a log may show it: without its query, and without what might be an email. */
export function redactedPath(url: string): string {
  const [path = ''] = url.split(/[?#]/, 1);
  return path
    .slice(0, 200)
    .split('/')
    .map((segment) => (plain.test(segment) ? segment : '(hidden)'))
    .join('/');
}

/** The order that a path is about. */
export function orderIdInPath(path: string): { readonly orderId?: string } {
  const id = orderId.exec(path)?.[0];
  return id === undefined ? {} : { orderId: id.toUpperCase() };
}
