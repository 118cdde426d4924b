import type { ContentfulStatusCode } from 'hono/utils/http-status';

/** For what is no page: whoever opens it as one runs and loads nothing by it, and nobody frames it. */
export const inertPolicy = "default-src 'none'; frame-ancestors 'none'";

/** What every API answer says: it is never to be kept by a cache, nor guessed to be something else, nor a page. */
const apiHeaders = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': inertPolicy,
  'X-Content-Type-Options': 'nosniff',
};

/**
 * Answers with JSON. Made without the context, and with headers that are a plain object, because that is what
 * node-server sends fastest, and sales make thousands of these answers a second.
 */
export function sendJson(
  status: ContentfulStatusCode,
  value: object,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return sendText(status, JSON.stringify(value), jsonHeaders(headers));
}

export type JsonHeaders = Readonly<Record<string, string>>;

/** The headers of an API answer, with these among or instead of them. */
export function jsonHeaders(headers: Readonly<Record<string, string>>): JsonHeaders {
  return { 'Content-Type': 'application/json', ...apiHeaders, ...headers };
}

/** Answers with what is JSON already; its headers are {@link jsonHeaders}. */
export function sendText(status: ContentfulStatusCode, text: string, headers: JsonHeaders): Response {
  return new Response(text, { status, headers });
}
