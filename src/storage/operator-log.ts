import type { ErrorCode } from '../domain/errors.ts';
import type { Json } from '../lib/json.ts';
import type { Page } from '../lib/page.ts';

/** Who asks for a change, as far as the server can tell. */
export interface Operator {
  /** `admin`: there is one token. */
  readonly name: string;
  /** A program with the token, or a browser that was signed in with it. */
  readonly via: 'token' | 'session';
  /** Of the browser's session: 128 random bits, not what the cookie proves itself with. */
  readonly session?: string;
  /** Of the client, as the server sees it behind trusted proxies. */
  readonly address?: string;
}

export const operatorActions = [
  'package.create',
  'package.amend',
  'package.pause',
  'package.resume',
  'package.archive',
  'package.delete',
  'order.retry',
  'order.cancel',
  'email.erase',
  'instance.drain',
  'instance.dismiss',
  'session.start',
  'session.end',
] as const;
export type OperatorAction = (typeof operatorActions)[number];

/** What a change is about. */
export interface OperatorTarget {
  readonly packageId?: number;
  readonly orderId?: string;
  readonly instance?: string;
  /** An email's keyed hash: whoever has the server's secret can test an email against it, and nobody can read it. */
  readonly emailHash?: string;
}

/**
 * One change that an operator asked for. No email and no token is ever in it.
 *
 * ```
 *   open ──► done | refused | failed
 * ```
 *
 * It is written, open, before anything is changed, and ended before the operator is answered. So a change that was
 * made is never without its entry: one that stays open is of an instance that died, or lost its store, in the middle
 * of it, and says who wanted what.
 */
export interface OperatorEvent {
  /** Random. */
  readonly id: string;
  /** When it was asked for, in ms since the epoch. */
  readonly at: number;
  readonly by: Operator;
  /** The instance that was asked. */
  readonly instance: string;
  readonly action: OperatorAction;
  readonly target: OperatorTarget;
  /** What was wanted, as it was asked for. */
  readonly wish?: Json;
  /** What is changed, as it was read before; absent where there was nothing yet. */
  readonly before?: Json;
  readonly outcome: 'open' | OperatorEventEnd['outcome'];
  /** The same after it. */
  readonly after?: Json;
  /** Why it was refused. */
  readonly code?: ErrorCode;
  /** ms since the epoch. */
  readonly endedAt?: number;
}

/** How it ended. `failed`: something broke, and what was wanted may have happened. */
export interface OperatorEventEnd {
  readonly outcome: 'done' | 'refused' | 'failed';
  readonly after?: Json;
  readonly code?: ErrorCode;
  readonly endedAt: number;
}

/**
 * The log of what operators change, kept in the store as durably as orders. Entries are added and ended; none is
 * changed after that, nor deleted (but by `clear`).
 *
 * Each method may be repeated when its outcome is unknown. @throws StoreUnavailableError from any of them.
 */
export interface OperatorLog {
  /** Adds an entry, unless one with its id is there. */
  appendOperatorEvent(event: OperatorEvent): Promise<void>;
  /** Ends an entry that is open; leaves one that has ended. */
  endOperatorEvent(id: string, end: OperatorEventEnd): Promise<void>;
  /** Newest first, at most `limit`. The cursor is `next` of the page before. */
  operatorEvents(cursor: string | undefined, limit: number): Promise<Page<OperatorEvent>>;
}
