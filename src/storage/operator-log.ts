import type { ErrorCode } from '../domain/errors.ts';
import type { Json } from '../lib/json.ts';
import type { Page } from '../lib/page.ts';

/** The operator who asks for a change, as far as the server knows. */
export interface Operator {
  /** As in `ADMIN_TOKENS`; `admin` for the operator of `ADMIN_TOKEN`, and in events of older releases. */
  readonly name: string;
  /** `token`: a program with the operator's token. `session`: a browser that logged in with it. */
  readonly via: 'token' | 'session';
  /** The id of the browser's session: 128 random bits. The secret of the cookie is not part of it. */
  readonly session?: string;
  /** The client's IP address, also behind trusted proxies. */
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
  'notice.retry',
  'notice.discard',
  'instance.drain',
  'instance.dismiss',
  'session.start',
  'session.end',
] as const;
export type OperatorAction = (typeof operatorActions)[number];

/** The object of a change. */
export interface OperatorTarget {
  readonly packageId?: number;
  readonly orderId?: string;
  readonly instance?: string;
  /**
   * The email's keyed hash. With the server's secret one can test an email against the hash, but cannot read the email.
   */
  readonly emailHash?: string;
}

/**
 * The prefix of the settings that stand for the browser sessions that were ended, with their id behind it. The value is
 * the time of the end, as Unix time in ms; in settings of older releases `ended`.
 */
export const endedSessionPrefix = 'ended-session:';

/**
 * One change that an operator asked for. An event never contains an email or a token.
 *
 * ```
 *   open ──► done | refused | failed
 * ```
 *
 * The event is stored as open before the change, and ended before the operator is answered, so every change has an
 * event. An event stays open if its instance crashed or lost its store during the change.
 */
export interface OperatorEvent {
  readonly id: string;
  /** The time of the request, as Unix time in ms. */
  readonly at: number;
  readonly by: Operator;
  /** The instance that got the request. */
  readonly instance: string;
  readonly action: OperatorAction;
  readonly target: OperatorTarget;
  /** The parameters of the request. */
  readonly wish?: Json;
  /** The changed object before the change; absent if it did not exist. */
  readonly before?: Json;
  readonly outcome: 'open' | OperatorEventEnd['outcome'];
  /** The object after the change. */
  readonly after?: Json;
  /** The reason of a refusal. */
  readonly code?: ErrorCode;
  /** Unix time in ms. */
  readonly endedAt?: number;
}

/** The end of a change. `failed`: an error occurred, and the change may have been made. */
export interface OperatorEventEnd {
  readonly outcome: 'done' | 'refused' | 'failed';
  readonly after?: Json;
  readonly code?: ErrorCode;
  readonly endedAt: number;
}

/**
 * The log of the changes by operators, as durable as orders. An event that has ended is never changed, and only the
 * archive removes events.
 *
 * Each method may be repeated if its outcome is unknown. Each throws StoreUnavailableError.
 */
export interface OperatorLog {
  /** Adds an event, unless an event with the same id exists. */
  appendOperatorEvent(event: OperatorEvent): Promise<void>;
  /** Ends an open event. An event that has ended does not change. */
  endOperatorEvent(id: string, end: OperatorEventEnd): Promise<void>;
  /** Lists events, newest first, at most `limit`. The cursor is `next` of the page before. */
  operatorEvents(cursor: string | undefined, limit: number): Promise<Page<OperatorEvent>>;
}
