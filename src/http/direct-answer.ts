import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { bindings } from './bindings.ts';
import { type JsonHeaders, jsonHeaders, sendText } from './json.ts';

/*
 * Direct answers: a handler writes its answer to Node's own response, and tells node-server that the answer was sent.
 * Purchases are answered so, because a `Response` and its headers cost more than all checks of a purchase. The code of
 * a handler is the same either way: without a server, as in tests that call the app, it returns a `Response`.
 */

/**
 * Makes a route answer directly. Only for routes without middleware, which could not change the answer, and not for GET:
 * Hono makes the answer to HEAD from a `Response`.
 */
export function withDirectAnswer<Answer>(handle: (c: Context) => Answer): (c: Context) => Answer {
  return (c) => {
    const node = bindings(c);
    if (node.outgoing !== undefined) node.directHeaders = [];
    return handle(c);
  };
}

/**
 * Sets a header of the answer, also if the answer will be a `Response`: Node's own response takes the header five times
 * faster than Hono's `Headers`.
 */
export function setHeader(c: Context, name: string, value: string): void {
  const { outgoing, directHeaders } = bindings(c);
  if (outgoing === undefined) return c.header(name, value);
  if (directHeaders === undefined) {
    outgoing.setHeader(name, value);
    return;
  }
  const at = directHeaders.indexOf(name);
  if (at < 0) directHeaders.push(name, value);
  else directHeaders[at + 1] = value;
}

/** Answers with JSON, directly if the route does. */
export function answerJson(
  c: Context,
  status: ContentfulStatusCode,
  value: object,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return answerText(c, status, JSON.stringify(value), jsonHeaders(headers));
}

/**
 * Answers with text, directly if the route does. Take `headers` from {@link jsonHeaders}. Their names must differ from
 * those that {@link setHeader} has set.
 */
export function answerText(
  c: Context,
  status: ContentfulStatusCode,
  text: string,
  headers: JsonHeaders,
): Response {
  const { outgoing, directHeaders } = bindings(c);
  if (outgoing === undefined || directHeaders === undefined) return sendText(status, text, headers);
  // Node writes one list of all headers fastest.
  for (const name in headers) directHeaders.push(name, headers[name] as string);
  directHeaders.push('Content-Length', String(Buffer.byteLength(text)));
  outgoing.writeHead(status, directHeaders).end(text);
  return RESPONSE_ALREADY_SENT;
}
