import { STATUS_CODES } from 'node:http';
import type { Context, ErrorHandler } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { z } from 'zod';
import { type ErrorCode, errorKind } from '../domain/errors.ts';
import type { Log } from '../observability/log.ts';
import { StoreUnavailableError, UnreadableError } from '../storage/store.ts';
import type { OrderView, problemAnswer } from './api/views.ts';
import { answerText } from './direct-answer.ts';
import { inertPolicy, type JsonHeaders, jsonHeaders } from './json.ts';
import { orderIdInPath, redactedPath, requestIdOfContext } from './telemetry/log-fields.ts';

/**
 * An error in one member of the request. `path` has the names of nested members with dots between them, and is empty
 * for the request as a whole.
 */
export interface FieldError {
  readonly path: string;
  readonly message: string;
}

export interface ProblemExtra {
  /** A sentence about this case of the error. */
  readonly detail?: string;
  readonly errors?: readonly FieldError[];
  /** The order that the problem is about, if the caller may see it. */
  readonly order?: OrderView;
  /** The time to wait before a retry, in seconds. Default: the error catalogue's value. */
  readonly retryAfterS?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Problem details for HTTP APIs (RFC 9457), with the catalogue's code as an extension. */
export type ProblemView = z.output<typeof problemAnswer>;

export const problemContentType = 'application/problem+json';

export function problemView(code: ErrorCode, extra: ProblemExtra = {}): ProblemView {
  const { title, status } = errorKind(code);
  const { detail, errors, order } = extra;
  return {
    type: `/problems/${code}`,
    title,
    status,
    code,
    ...(detail === undefined ? {} : { detail }),
    ...(order === undefined ? {} : { instance: `/api/orders/${order.id}` }),
    ...(errors === undefined ? {} : { errors: [...errors] }),
    ...(order === undefined ? {} : { order }),
  };
}

/**
 * Answers with a problem of the error catalogue as problem+json, with `Retry-After` if waiting can help. Its signature is
 * {@link SendProblem}.
 */
export function problem(c: Context, code: ErrorCode, extra: ProblemExtra = noExtra): Response {
  const { status } = errorKind(code);
  const { text, headers } = isEmpty(extra) ? preparedProblem(code) : problemText(code, extra);
  // With this id, operators find in the log what a caller reports.
  const named = status < 500 ? headers : { ...headers, 'X-Request-Id': requestIdOfContext(c) };
  return answerText(c, status, text, named);
}

interface ProblemText {
  readonly text: string;
  readonly headers: JsonHeaders;
}

function problemText(code: ErrorCode, extra: ProblemExtra): ProblemText {
  return { text: JSON.stringify(problemView(code, extra)), headers: headersOf(code, extra) };
}

const noExtra: ProblemExtra = {};

function isEmpty(extra: ProblemExtra): boolean {
  for (const _name in extra) return false;
  return true;
}

/**
 * Problems without extra members, by code. Such problems are always equal, and a sell-out causes thousands a second, so
 * each is serialized once.
 */
const preparedProblems = new Map<ErrorCode, ProblemText>();

function preparedProblem(code: ErrorCode): ProblemText {
  let prepared = preparedProblems.get(code);
  if (prepared === undefined) {
    prepared = problemText(code, noExtra);
    preparedProblems.set(code, prepared);
  }
  return prepared;
}

function headersOf(code: ErrorCode, extra: ProblemExtra): JsonHeaders {
  const retryAfterS = extra.retryAfterS ?? errorKind(code).retryAfterS;
  return jsonHeaders({
    'Content-Type': problemContentType,
    ...(retryAfterS === undefined ? {} : { 'Retry-After': String(Math.ceil(retryAfterS)) }),
    ...extra.headers,
  });
}

/** An error that any code below a handler may throw, to answer the request with a problem. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly code: ErrorCode;
  readonly extra: ProblemExtra;

  constructor(code: ErrorCode, extra: ProblemExtra = {}) {
    super(extra.detail ?? errorKind(code).title);
    this.code = code;
    this.extra = extra;
  }
}

/** Maps any error to the catalogue. Unknown errors become `internal` and reveal nothing to the caller. */
export function toProblemError(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  // An order is not named, because the caller has not shown that it may see it (Q10).
  if (error instanceof UnreadableError && error.subject.orderId === undefined) {
    const detail = `Package ${error.subject.packageId} cannot be read by this instance.`;
    return new ProblemError('store_unavailable', { detail });
  }
  if (error instanceof StoreUnavailableError) return new ProblemError('store_unavailable');
  if (error instanceof HTTPException && error.status < 500) return new ProblemError(codeOf(error.status));
  return new ProblemError('internal');
}

function codeOf(status: number): ErrorCode {
  if (status === 404) return 'unknown_route';
  if (status === 413) return 'body_too_large';
  if (status === 415) return 'unsupported_media_type';
  return 'bad_request';
}

/** Sends a problem to the caller, as problem+json or as a page. */
export type SendProblem = (c: Context, code: ErrorCode, extra?: ProblemExtra) => Response | Promise<Response>;

/** Returns the handler for `app.onError`, which logs what handlers throw and answers with a problem. */
export function onError(log: Log, show: SendProblem = problem): ErrorHandler {
  return (error, c) => {
    const { code, extra } = toProblemError(error);
    if (errorKind(code).status >= 500) {
      const path = redactedPath(c.req.path);
      const fields = {
        requestId: requestIdOfContext(c),
        err: error,
        method: c.req.method,
        path,
        ...orderIdInPath(path),
      };
      if (code === 'internal') log.error(fields, 'A request failed unexpectedly.');
      else log.warn({ ...fields, code }, 'A request could not be served.');
    }
    return show(c, code, extra);
  };
}

/** A complete HTTP answer to write to a raw socket. The answer announces that the connection closes. */
export function rawProblem(code: ErrorCode, headers: readonly string[] = []): string {
  const body = JSON.stringify(problemView(code));
  const { status } = errorKind(code);
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `Content-Type: ${problemContentType}`,
    `Content-Security-Policy: ${inertPolicy}`,
    'X-Content-Type-Options: nosniff',
    'Cache-Control: no-store',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...headers,
    'Connection: close',
    '',
    body,
  ].join('\r\n');
}
