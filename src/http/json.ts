import type { ContentfulStatusCode } from 'hono/utils/http-status';

/**
 * The Content-Security-Policy of every answer that is not a page: the browser loads nothing for the answer, runs
 * nothing in it, and does not frame it.
 */
export const inertPolicy = "default-src 'none'; frame-ancestors 'none'";

/** Headers of every API answer. They forbid caching, guessing the content type, and use as a page. */
const apiHeaders = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': inertPolicy,
  'X-Content-Type-Options': 'nosniff',
};

/**
 * Answers with JSON. A sale makes thousands of answers a second, and node-server sends answers fastest when the headers
 * are a plain object. Hono's context is not used, because it would convert them.
 */
export function sendJson(
  status: ContentfulStatusCode,
  value: object,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return sendText(status, JSON.stringify(value), jsonHeaders(headers));
}

export type JsonHeaders = Readonly<Record<string, string>>;

/** The headers of an API answer; `headers` are added and take precedence. */
export function jsonHeaders(headers: Readonly<Record<string, string>>): JsonHeaders {
  return { 'Content-Type': 'application/json', ...apiHeaders, ...headers };
}

/** Answers with text that is already serialized. Take `headers` from {@link jsonHeaders}. */
export function sendText(status: ContentfulStatusCode, text: string, headers: JsonHeaders): Response {
  return new Response(text, { status, headers });
}
