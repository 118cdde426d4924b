import type { Problem } from './api-types.ts';
import { NoAnswerError, ProblemError, type TicketError } from './errors.ts';
import { backoffMs, type Clock, type Random } from './timing.ts';

/** The part of `fetch` that the client uses. Some runtimes give theirs further members, which a wrapper need not have. */
export type Fetch = (url: URL, init: RequestInit) => Promise<Response>;

export interface RequestsOptions {
  /** The server's address, without a path. */
  readonly origin: URL;
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly random: Random;
  /** How often a request is repeated. */
  readonly retries: number;
  /** How long an answer may take, in ms, besides what the server was asked to wait. */
  readonly answerTimeoutMs: number;
}

export interface RequestOptions {
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: object;
  readonly signal?: AbortSignal | undefined;
  /** How long the server was asked to wait before it answers, in ms. */
  readonly serverWaitMs?: number;
  /** Instead of {@link RequestsOptions.retries}. */
  readonly retries?: number;
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly value: unknown;
}

/** The pause after the first failure, and the longest pause, in ms. */
const firstPauseMs = 200;
const pauseMsMax = 5_000;
/** A server that wants a longer pause gets no retry: the caller learns of it at once. */
const retryAfterMsMax = 60_000;

/**
 * Sends requests that are safe to repeat, and repeats them after a temporary failure: without an answer, and after 408, 429
 * and each 5xx without an order, but not before the time in `Retry-After`.
 */
export class Requests {
  readonly #options: RequestsOptions;

  constructor(options: RequestsOptions) {
    this.#options = options;
  }

  /**
   * Returns the answer if it is a success.
   * @throws ProblemError if the server answers with a problem.
   * @throws NoAnswerError if there is no answer of the server.
   * @throws the reason of the signal when it aborts.
   */
  async send(path: string, request: RequestOptions = {}): Promise<Reply> {
    const { signal, retries = this.#options.retries } = request;
    for (let failures = 1; ; failures++) {
      signal?.throwIfAborted();
      const result = await this.#attempt(path, request);
      if (!(result instanceof Error)) return result;
      signal?.throwIfAborted();
      if (!result.isTemporary || failures > retries || askedPauseMs(result) > retryAfterMsMax) throw result;
      await this.#options.clock.sleep(pauseMs(result, failures, this.#options.random), signal);
    }
  }

  async #attempt(path: string, request: RequestOptions): Promise<Reply | TicketError> {
    // A browser's `fetch` must not be called as a method of another object.
    const { origin, answerTimeoutMs, fetch: ask } = this.#options;
    const { method = 'GET', headers = {}, body, signal, serverWaitMs = 0 } = request;
    const timeout = AbortSignal.timeout(answerTimeoutMs + serverWaitMs);
    // Made before it is sent, so that an invalid header is an error of the caller, and not of the network.
    const init: RequestInit = {
      method,
      headers: new Headers({
        Accept: 'application/json',
        ...headers,
        ...(body === undefined ? {} : jsonType),
      }),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      // A purchase that follows a redirect would become a GET, or be sent to another site.
      redirect: 'manual',
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    };
    let response: Response;
    let text: string;
    try {
      response = await ask(new URL(path, origin), init);
      text = await response.text();
    } catch (cause) {
      return new NoAnswerError(
        timeout.aborted ? 'the server did not answer in time' : 'the server is out of reach',
        { cause },
      );
    }
    const { status } = response;
    const value = parsed(text);
    if (response.ok && value !== undefined) return { status, headers: response.headers, value };
    const asked = retryAfterMs(response.headers);
    if (isProblem(value)) return new ProblemError(value, status, asked);
    if (isRedirect(response)) return redirectError(response);
    return new NoAnswerError(`the answer ${status} is not one of the server's`, {
      status,
      retryAfterMs: asked,
    });
  }
}

const jsonType = { 'Content-Type': 'application/json' };

/** The pause before the next attempt, in ms, at least what the server asks for. */
export function pauseMs(error: TicketError, failures: number, random: Random): number {
  return askedPauseMs(error) + backoffMs(failures, firstPauseMs, pauseMsMax, random);
}

function askedPauseMs(error: TicketError): number {
  const hasAsked = error instanceof ProblemError || error instanceof NoAnswerError;
  return hasAsked ? (error.retryAfterMs ?? 0) : 0;
}

/** `Retry-After` in seconds, which the server always uses; a date is not understood. */
function retryAfterMs(headers: Headers): number | undefined {
  const text = headers.get('retry-after');
  return text !== null && /^\d{1,9}$/.test(text) ? 1000 * Number(text) : undefined;
}

/** Browsers hide what a redirect says: its status is 0 there. */
function isRedirect({ type, status }: Response): boolean {
  return type === 'opaqueredirect' || (status >= 300 && status < 400);
}

/** Names only the origin of the target, because the rest of an address may have an email. */
function redirectError({ status, headers }: Response): NoAnswerError {
  const target = /^https?:\/\/[^/?#]*/i.exec(headers.get('location') ?? '')?.[0];
  const words = `the answer is a redirect${target === undefined ? '' : ` to ${target}`}, which is not followed`;
  return new NoAnswerError(`${words}: use the server's own address`, { status });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isProblem(value: unknown): value is Problem {
  return (
    typeof value === 'object' && value !== null && 'code' in value && 'title' in value && 'status' in value
  );
}
