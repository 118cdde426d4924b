import type { Context } from 'hono';
import type { ErrorCode } from '../domain/errors.ts';
import type { IncomingRequest } from '../rate-limits/rate-limits.ts';
import type { Operator } from '../storage/operator-log.ts';
import { StoreUnavailableError } from '../storage/store.ts';

export interface SignInRefusal {
  /** `unauthorized` for a wrong token, `rate_limited` after too many of them. */
  readonly code: ErrorCode;
  /** Seconds until another try is heard, where that is known. */
  readonly retryAfterS?: number;
}

/** Who is signed in to the operators' pages, kept in a cookie of theirs. */
export interface AdminSessions {
  /** Signs the browser in. Returns why not. */
  start(c: Context, token: string): Promise<SignInRefusal | undefined>;
  /**
   * Who asks, by the `Cookie` header; undefined unless signed in.
   * @throws StoreUnavailableError for a cookie that is good, where nobody can tell whether its session was ended.
   */
  operator(cookies: string | undefined, sender?: IncomingRequest): Promise<Operator | undefined>;
  /** Signs it out, here and everywhere. */
  end(c: Context, by: Operator): Promise<void>;
}

/**
 * Whether somebody may watch how things stand. While the store is away a good cookie is enough for that, for just then
 * operators have to see; whoever is known here to have signed out may not.
 */
export async function isWatcher(sessions: AdminSessions, cookies: string | undefined): Promise<boolean> {
  try {
    return (await sessions.operator(cookies)) !== undefined;
  } catch (error) {
    if (error instanceof StoreUnavailableError) return true;
    throw error;
  }
}

/** Who asks the operators' API. */
export interface AdminIdentity {
  /**
   * By the bearer token, else by the browser's session.
   * @throws ProblemError 401 for neither or a wrong one, 429 after too many wrong ones, 403 where another site's page
   * sends a change along with our cookie.
   */
  identify(c: Context): Promise<Operator>;
}
