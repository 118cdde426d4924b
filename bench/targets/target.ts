import { defined } from '../../src/lib/defined.ts';
import type { Header } from './options.ts';

/** A deployment, as the bench addresses it outside of the load: for packages, admin API and audit. */
export interface Target {
  readonly origins: readonly string[];
  readonly headers: readonly Header[];
  readonly adminToken?: string;
}

export interface RequestOptions {
  readonly method?: 'GET' | 'POST' | 'PATCH';
  /** The body, sent as JSON. */
  readonly body?: object;
  /** Whether to send the admin token. */
  readonly isAdmin?: boolean;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

const usualTimeoutMs = 10_000;

/** @throws Error in one line if it does not answer; the signal's reason if aborted. */
export async function requestTarget(
  { headers, adminToken }: Target,
  origin: string,
  path: string,
  { method = 'GET', body, isAdmin = false, timeoutMs = usualTimeoutMs, signal }: RequestOptions = {},
): Promise<Response> {
  const all = new Headers();
  for (const [name, value] of headers) all.append(name, value);
  if (isAdmin && adminToken !== undefined) all.set('authorization', `Bearer ${adminToken}`);
  if (body !== undefined) all.set('content-type', 'application/json');
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    return await fetch(origin + path, {
      method,
      headers: all,
      ...defined({ body: body && JSON.stringify(body) }),
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    });
  } catch (error) {
    signal?.throwIfAborted();
    const { cause = error } = error as { cause?: unknown };
    const why =
      cause instanceof Error ? cause.message || String((cause as { code?: unknown }).code) : String(cause);
    throw new Error(`${origin} does not answer: ${why}`, { cause: error });
  }
}

/**
 * Sends a request to the admin API of the first instance that answers.
 * @throws Error in one line if none does.
 */
export async function requestAdmin(
  target: Target,
  path: string,
  asked: RequestOptions = {},
): Promise<Response> {
  let failure: unknown;
  for (const origin of target.origins) {
    try {
      return await requestTarget(target, origin, path, { ...asked, isAdmin: true });
    } catch (error) {
      asked.signal?.throwIfAborted();
      failure = error;
    }
  }
  throw failure;
}

/** The JSON of a response; an empty object if it is not JSON. */
export async function jsonOf(response: Response): Promise<Readonly<Record<string, unknown>>> {
  const value: unknown = await response.json().catch(() => undefined);
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** Status and problem code: `409 sale_not_ended`. */
export async function answerInWords(response: Response): Promise<string> {
  const { code } = await jsonOf(response);
  return typeof code === 'string' ? `${response.status} ${code}` : String(response.status);
}
