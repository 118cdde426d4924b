import type { Context, ErrorHandler, NotFoundHandler } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { type ErrorCode, errorKind } from '../domain/errors.ts';
import type { Log } from '../ports/log.ts';
import { StoreUnavailableError } from '../ports/store.ts';
import { type JsonHeaders, jsonHeaders, sendText } from './json.ts';
import type { OrderView } from './views.ts';

/** What is wrong with one member of the request; `path` is dotted, and empty for the whole. */
export interface FieldError {
  readonly path: string;
  readonly message: string;
}

export interface ProblemExtra {
  /** A sentence about this very case. */
  readonly detail?: string;
  readonly errors?: readonly FieldError[];
  /** The order that the problem is about, where the caller may see it. */
  readonly order?: OrderView;
  /** Seconds; where absent, the catalogue's figure. */
  readonly retryAfterS?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Problem details for HTTP APIs (RFC 9457), with the catalogue's code as an extension. */
export interface ProblemView {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  readonly detail?: string;
  readonly instance?: string;
  readonly errors?: readonly FieldError[];
  readonly order?: OrderView;
}

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
    ...(errors === undefined ? {} : { errors }),
    ...(order === undefined ? {} : { order }),
  };
}

/**
 * Answers with a problem of the catalogue, `Retry-After` included where waiting helps. It fits {@link ShowProblem},
 * which is why it takes the context.
 */
export function problem(_c: Context, code: ErrorCode, extra?: ProblemExtra): Response {
  const { status } = errorKind(code);
  if (extra !== undefined && Object.keys(extra).length > 0) {
    return sendText(status, JSON.stringify(problemView(code, extra)), headersOf(code, extra));
  }
  let plain = plainProblems.get(code);
  if (plain === undefined) {
    plain = { text: JSON.stringify(problemView(code)), headers: headersOf(code, {}) };
    plainProblems.set(code, plain);
  }
  return sendText(status, plain.text, { ...plain.headers });
}

/** Problems that say nothing but their code are always the same: a sold-out storm is made of them. */
const plainProblems = new Map<ErrorCode, { readonly text: string; readonly headers: JsonHeaders }>();

function headersOf(code: ErrorCode, extra: ProblemExtra): JsonHeaders {
  const retryAfterS = extra.retryAfterS ?? errorKind(code).retryAfterS;
  return jsonHeaders({
    'Content-Type': problemContentType,
    ...(retryAfterS === undefined ? {} : { 'Retry-After': String(Math.ceil(retryAfterS)) }),
    ...extra.headers,
  });
}

/** Ends the handling of a request with a problem, from any depth below a handler. */
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

/** An error in terms of the catalogue. Whatever is unknown is `internal`, and tells the caller nothing. */
export function asProblemError(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
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

/** How a problem is shown to the one who asked: as problem+json, or as a page. */
export type ShowProblem = (c: Context, code: ErrorCode, extra?: ProblemExtra) => Response | Promise<Response>;

/** For `app.onError`: nothing that a handler throws gets further than here. */
export function onError(log: Log, show: ShowProblem = problem): ErrorHandler {
  return (error, c) => {
    const { code, extra } = asProblemError(error);
    if (code === 'internal') {
      log.error({ err: error, method: c.req.method, path: c.req.path }, 'A request failed unexpectedly.');
    } else if (errorKind(code).status >= 500) {
      log.warn(
        { err: error, code, method: c.req.method, path: c.req.path },
        'A request could not be served.',
      );
    }
    return show(c, code, extra);
  };
}

export function onNotFound(show: ShowProblem = problem): NotFoundHandler {
  return (c) => show(c, 'unknown_route');
}
