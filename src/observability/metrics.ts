import type { ErrorCode } from '../domain/errors.ts';
import type { Change } from '../domain/messages.ts';
import type { NoticeChannel } from '../domain/notices.ts';
import type { PartnerKind } from '../suppliers/suppliers.ts';

/** The answer to a purchase: a confirmed order, an accepted order that is not finished, or an error. */
export type PurchaseOutcome = 'confirmed' | 'accepted' | ErrorCode;
export type CommitOutcome = 'applied' | 'fenced' | 'unknown' | 'unavailable' | 'refused';
export type SagaKind = 'book' | 'pay' | 'clear';
/**
 * The end of a saga. `stopped`: the activation ended before the saga, and the next owner continues it. `failed`: the
 * saga has a bug.
 */
export type SagaOutcome =
  | 'booked'
  | 'refused'
  | 'owing'
  | 'paid'
  | 'unpaid'
  | 'cleared'
  | 'stopped'
  | 'failed';
export type SupplierCallOutcome = 'reserved' | 'refused' | 'cancelled' | 'unknown';
/** The outcome of a request to another instance. */
export type MessageOutcome = 'answered' | 'no_answer' | 'inbox_full' | 'unavailable';

/**
 * The outcomes of an attempt to deliver a notice. After `failed` it is tried again. `refused`: it was given up because
 * the mail server takes nothing for this recipient, as for an address with a typing mistake.
 */
export const noticeOutcomes = ['delivered', 'failed', 'refused', 'given_up'] as const;
export type NoticeOutcome = (typeof noticeOutcomes)[number];

/** Gauges, which are read for each scrape, so at most once every few seconds. */
export const gaugeNames = [
  'active_actors',
  'mailbox_messages',
  'mailbox_messages_max',
  'inbox_messages',
  'oldest_failing_notice_seconds',
  'payment_overdue_seconds',
  'sockets',
] as const;
export type GaugeName = (typeof gaugeNames)[number];

/**
 * What an instance reports about itself. The calls are on the hot path: each takes a few ns, allocates little, never
 * throws and never waits. The program does not depend on the values. A method that returns a function starts a timer;
 * call the function once to stop it.
 */
export interface Metrics {
  purchase(outcome: PurchaseOutcome): void;
  /** @param route a pattern such as `/api/orders/:id`, to keep the number of series small. */
  request(route: string, method: string, status: number, seconds: number): void;
  /** An actor has taken a batch with this many messages. */
  batch(messages: number): void;
  /** A commit begins. */
  commit(): (outcome: CommitOutcome) => void;
  /** A commit is known to be applied. */
  committed(change: Change): void;
  /** An owner noticed before a commit that it had lost its lease. */
  staleWrite(): void;
  /** An owner answered `sold_out` after it had been replaced, so the answer was not used. */
  staleRefusal(): void;
  /** This instance has taken over a package. */
  takeover(hadUnfinishedOrders: boolean): void;
  /** A saga is ready to run. */
  saga(kind: SagaKind): (outcome: SagaOutcome) => void;
  /** One attempt at a supplier begins. */
  supplierCall(kind: PartnerKind): (outcome: SupplierCallOutcome) => void;
  message(outcome: MessageOutcome): void;
  notice(channel: NoticeChannel, outcome: NoticeOutcome): void;
  /** Sets the function that reads a gauge. If the read throws or takes too long, the scrape leaves the gauge out. */
  gauge(name: GaugeName, read: () => number | Promise<number>): void;
}

const ignore = () => {};
const ignoreTimer = () => ignore;

/** Ignores everything, for tests and the simulation. */
export const noMetrics: Metrics = {
  purchase: ignore,
  request: ignore,
  batch: ignore,
  commit: ignoreTimer,
  committed: ignore,
  staleWrite: ignore,
  staleRefusal: ignore,
  takeover: ignore,
  saga: ignoreTimer,
  supplierCall: ignoreTimer,
  message: ignore,
  notice: ignore,
  gauge: ignore,
};
