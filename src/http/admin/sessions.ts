import type { Context } from 'hono';
import type { ErrorCode } from '../../domain/errors.ts';
import type { Operator } from '../../ports/operator-log.ts';
import type { Sender } from '../limits/client-of.ts';

/** Who is signed in to the operators' pages, kept in a cookie of theirs. */
export interface AdminSessions {
  /** Signs the browser in. Returns why not: `unauthorized` for a wrong token. */
  start(c: Context, token: string): Promise<ErrorCode | undefined>;
  /** Who asks, by the `Cookie` header; undefined unless signed in. */
  operator(cookies: string | undefined, sender?: Sender): Promise<Operator | undefined>;
  /** Signs it out, here and everywhere. */
  end(c: Context, by: Operator): Promise<void>;
}
