import type { ContentfulStatusCode } from 'hono/utils/http-status';

/** The Content-Security-Policy of everything that is not a page: it loads nothing, runs nothing, cannot be framed. */
export const inertPolicy = "default-src 'none'; frame-ancestors 'none'";

/** Headers of every API answer: no caching, no content sniffing, no use as a page. */
const apiHeaders = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': inertPolicy,
  'X-Content-Type-Options': 'nosniff',
};

/**
 * Answers with JSON. Does not use Hono's context, and passes headers as a plain object, because node-server sends these
 * fastest and a sale makes thousands of answers a second.
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
