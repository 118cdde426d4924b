import type { Order, Problem } from './api-types.ts';

/** The code of an error: those of the API's catalogue, or one of a newer server. */
export type ErrorCode = Problem['code'] | (string & Record<never, never>);

/**
 * The base of all errors of the client. A call that is aborted throws the reason of its signal instead, but for a purchase
 * that was sent, see {@link PurchaseAbortedError}.
 */
export abstract class TicketError extends Error {
  /** The `Idempotency-Key` of the purchase that failed. Buy again with it to learn of its outcome. */
  idempotencyKey?: string;

  /**
   * Whether the same request may succeed later. The client has then tried as often as it may.
   */
  abstract readonly isTemporary: boolean;
}

/** The server has answered with a problem (RFC 9457). */
export class ProblemError extends TicketError {
  override readonly name = 'ProblemError';
  readonly code: ErrorCode;
  /** The HTTP status. */
  readonly status: number;
  /** What went wrong, the same for each problem with this code. */
  readonly title: string;
  /** A sentence about this very case. */
  readonly detail: string | undefined;
  /** What is wrong with the members of the request. */
  readonly errors: Problem['errors'];
  /** The order that the problem is about, such as one that has failed. */
  readonly order: Order | undefined;
  /** When a retry may succeed, in ms from now. */
  readonly retryAfterMs: number | undefined;

  constructor(problem: Problem, status: number, retryAfterMs?: number) {
    const { code, title, detail, errors, order } = problem;
    super(detail === undefined ? title : `${title}: ${detail}`);
    this.code = code;
    this.status = status;
    this.title = title;
    this.detail = detail;
    this.errors = errors;
    this.order = order;
    this.retryAfterMs = retryAfterMs;
  }

  /** A failure with an order is the order's outcome. Without one the outcome is unknown, and a retry is safe. */
  get isTemporary(): boolean {
    return this.order === undefined && isTemporaryStatus(this.status);
  }
}

/**
 * There was no answer, or not one of the server's: the connection failed, the time ran out, or a proxy answered in its
 * place. Whether the server has done what it was asked is not known.
 */
export class NoAnswerError extends TicketError {
  override readonly name = 'NoAnswerError';
  readonly isTemporary: boolean;
  /** The HTTP status of the proxy's answer, if there was one; 0 for a redirect in a browser, which hides it. */
  readonly status: number | undefined;
  /** When a retry may succeed, in ms from now, if the proxy says so. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, options: NoAnswerOptions) {
    super(message, { cause: options.cause });
    this.status = options.status;
    this.retryAfterMs = options.retryAfterMs;
    // A proxy whose server is away for a moment. Other statuses, such as 404, will stay.
    this.isTemporary = this.status === undefined || isTemporaryStatus(this.status);
  }
}

interface NoAnswerOptions {
  readonly cause?: unknown;
  readonly status?: number;
  readonly retryAfterMs?: number | undefined;
}

/**
 * Whether the same request may succeed later: the request did not arrive in time, was one too many, or failed at the
 * server or at a proxy (which have statuses of their own up to 599).
 */
function isTemporaryStatus(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

/**
 * The signal of a purchase aborted after its request was sent. Whether the server has an order is not known. `cause` is
 * the reason of the signal.
 */
export class PurchaseAbortedError extends TicketError {
  override readonly name = 'PurchaseAbortedError';
  override readonly idempotencyKey: string;
  readonly isTemporary = true;

  constructor(idempotencyKey: string, cause: unknown) {
    super('the purchase was aborted: buy again with its key to learn of its outcome', { cause });
    this.idempotencyKey = idempotencyKey;
  }
}

/** The order had no outcome within the time that the caller has set. It goes on. */
export class OutcomeTimeoutError extends TicketError {
  override readonly name = 'OutcomeTimeoutError';
  readonly isTemporary = true;
  /** The order as it was last known; undefined if it could not be read in time. */
  readonly order: Order | undefined;

  constructor(timeoutMs: number, order: Order | undefined) {
    super(
      `the order had no outcome within ${timeoutMs} ms${order === undefined ? '' : `: it is ${order.status}`}`,
    );
    this.order = order;
  }
}
